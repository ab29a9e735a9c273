import { z } from 'zod';
import { limits } from '../../../core/limits.ts';
import type { CallFilter, StatusRange } from '../../../core/store/calls.ts';
import {
  commonParameters,
  endpointParameter,
  methodParameter,
  routeParameter,
} from '../../query/parameters.ts';

/** What narrows a search of raw calls. */

/** One status, or a class of them. */
export const statusPattern = /^([1-9]\d\d|[1-9]xx|none)$/;
const statusListPattern = /^([1-9]\d\d|[1-9]xx|none)(,([1-9]\d\d|[1-9]xx|none)){0,19}$/;

const exact = (what: string, charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .optional()
    .describe(`${what}, exactly; empty for calls without one; at most ${charactersMax} characters`);

const milliseconds = (what: string) =>
  z
    .string()
    .regex(/^\d{1,10}(\.\d{1,6})?$/)
    .transform(Number)
    .optional()
    .describe(`${what}, in milliseconds with at most six decimals, such as 250 or 0.5`)
    .meta({ type: 'number', minimum: 0 });

export const callFilterParameters = {
  ...commonParameters,
  method: methodParameter,
  route: routeParameter,
  endpoint: endpointParameter,
  status: z
    .string()
    .regex(statusListPattern)
    .transform((text) => text.split(','))
    .optional()
    .describe(
      'one or more HTTP statuses or classes, separated by commas, such as 503 or 4xx,5xx; none for calls without one',
    )
    .meta({
      type: 'array',
      items: { type: 'string', pattern: statusPattern.source },
      maxItems: 20,
    }),
  client: exact("the caller's address as calls show it", limits.clientBytes),
  consumer: exact("the caller's name", limits.consumerBytes),
  agent: exact("the product of the caller's user agent", limits.userAgentBytes),
  bot: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('true for calls of monitors, crawlers and scanners alone, false for all others'),
  version: exact("the service's version", limits.versionBytes),
  error_type: exact('the error.type of the span', limits.errorTypeBytes),
  duration_min: milliseconds('the shortest duration'),
  duration_max: milliseconds('the longest duration'),
  trace_id: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/)
    .transform((text) => text.toLowerCase())
    .optional()
    .describe('a trace id, 32 hexadecimal digits')
    .meta({ pattern: '^[0-9a-fA-F]{32}$' }),
};

export type CallFilterParameters = z.output<z.ZodObject<typeof callFilterParameters>>;

/** The filter, without what selects endpoints and without the window. */
export function callFilterOf(parameters: CallFilterParameters): CallFilter {
  const { status, client, consumer, agent, bot, version, error_type, trace_id } = parameters;
  const { duration_min, duration_max } = parameters;
  return {
    ...(status && { statuses: status.map(statusRange) }),
    ...(client !== undefined && { client }),
    ...(consumer !== undefined && { consumer }),
    ...(agent !== undefined && { agent }),
    ...(bot !== undefined && { bot }),
    ...(version !== undefined && { serviceVersion: version }),
    ...(error_type !== undefined && { errorType: error_type }),
    ...(duration_min !== undefined && { durationFromNs: Math.round(duration_min * 1e6) }),
    ...(duration_max !== undefined && { durationToNs: Math.round(duration_max * 1e6) }),
    ...(trace_id !== undefined && { traceId: trace_id }),
  };
}

/** @param text as `statusPattern` allows */
export function statusRange(text: string): StatusRange {
  if (text === 'none') return { from: 0, to: 0 };
  if (!text.endsWith('xx')) return { from: Number(text), to: Number(text) };
  const from = Number(text[0]) * 100;
  return { from, to: from + 99 };
}
