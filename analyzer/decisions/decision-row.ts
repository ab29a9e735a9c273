import { z } from 'zod';
import { type Decision, type DecisionRecord, decisionActions } from '../../core/store/decisions.ts';
import { isoTime } from '../../core/window.ts';
import { count, named, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';

/** A decision as the API answers it, and as `rollcall.decisions.yaml` holds it. */
export const decisionTable = tableOf<Decision>()('DecisionRow', {
  service: {
    type: z.string(),
    about: 'service.name',
    value: ({ service }) => service,
    brief: true,
  },
  environment: {
    type: z.string().nullable(),
    about: 'null for every environment without a decision of its own',
    value: ({ environment }) => environment,
    brief: true,
  },
  method: { type: z.string(), about: 'HTTP method', value: ({ method }) => method, brief: true },
  route: { type: z.string(), about: 'the endpoint', value: ({ route }) => route, brief: true },
  decision: {
    type: z.enum(decisionActions),
    about: 'what is to become of the endpoint',
    value: ({ action }) => action,
    brief: true,
  },
  reason: { type: z.string(), about: 'why', value: ({ reason }) => reason, brief: true },
  until: {
    type: time.nullable(),
    about: 'when it is to be taken again; null for never',
    value: ({ untilMs }) => (untilMs === null ? null : isoTime(untilMs)),
    brief: true,
  },
  by: { type: z.string(), about: 'who decided', value: ({ by }) => by, brief: true },
  decided_at: {
    type: time,
    about: 'when',
    value: ({ decidedMs }) => isoTime(decidedMs),
  },
  known_callers: {
    type: z.array(z.string()),
    about: 'consumers that had called the endpoint then; another one brings a kept endpoint back',
    value: ({ callers }) => callers,
  },
});

export const decisionHistorySchema = named(
  'DecisionRecord',
  z.object({
    decision: z.enum(decisionActions).nullable().describe('null where it was withdrawn'),
    reason: z.string(),
    until: time.nullable(),
    by: z.string(),
    decided_at: time,
    known_callers: count,
  }),
);

export function historyRow({
  action,
  reason,
  untilMs,
  by,
  decidedMs,
  callers,
}: DecisionRecord): z.output<typeof decisionHistorySchema> {
  return {
    decision: action,
    reason,
    until: untilMs === null ? null : isoTime(untilMs),
    by,
    decided_at: isoTime(decidedMs),
    known_callers: callers.length,
  };
}
