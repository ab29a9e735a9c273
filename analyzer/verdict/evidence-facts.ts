import { z } from 'zod';
import { count, named, time } from '../query/schema.ts';
import { marks, statuses } from '../query/status.ts';
import { reasonSchema } from '../reports/endpoint-row.ts';

/** The facts of an evidence, as they are answered and kept. */
const callerSchema = z.object({
  client: z.string().nullable(),
  consumer: z.string().nullable(),
  agent: z.string().nullable(),
  called_at: time,
});

const verdictShape = {
  status: z.enum(statuses).nullable(),
  confidence: z.number().min(0).max(1).nullable(),
};

export const evidenceSchema = named(
  'Evidence',
  z.object({
    as_of: time.describe('the moment of the evidence; with as_of= the same text is answered again'),
    digest: z.string().describe('of everything but as_of and link: equal while the facts are'),
    link: z.string().describe('this evidence, below /api/v1'),
    endpoint: z.object({
      id: z.string(),
      service: z.string(),
      environment: z.string(),
      method: z.string(),
      route: z.string(),
    }),
    verdict: z.object({
      ...verdictShape,
      marks: z.array(z.enum(marks)),
      dead_since: time.nullable(),
      expected_at: time.nullable(),
      reasons: z.array(reasonSchema),
    }),
    lifetime: z
      .object({
        calls: count,
        answered: count,
        refused: count,
        missing: count,
        failed: count,
        bot_calls: count,
        first_called_at: time.nullable(),
        last_called_at: time.nullable(),
        last_answered_at: time.nullable(),
        last_used_at: time.nullable(),
        estimated: z.boolean().describe('counts stand for sampled calls'),
      })
      .describe('all calls ever'),
    last_answered_callers: z.array(callerSchema),
    versions: z
      .array(
        z.object({
          version: z.string(),
          first_called_at: time,
          last_called_at: time,
          calls: count,
        }),
      )
      .describe('of the service, that answered it; latest first, at most ten'),
    siblings: z
      .object({ since: time, calls: count, endpoints: count })
      .nullable()
      .describe('calls to other endpoints of the service since the last use'),
    observation: z.object({
      since: time.nullable(),
      days: count.describe('in which the service was observed'),
      gaps: z
        .array(z.object({ from: time, to: time, hours: z.number() }))
        .describe('in the observation of the service, the latest twenty'),
      gap_count: count,
    }),
    environments: z
      .array(z.object({ environment: z.string(), ...verdictShape, last_used_at: time.nullable() }))
      .describe('the endpoint in each environment of the service'),
    all_environments: z.object(verdictShape).describe('one verdict for all of them'),
    inventory: z
      .object({ declared: z.boolean(), format: z.string(), version: count, uploaded_at: time })
      .nullable(),
    ending: z
      .object({
        deprecated: z.boolean(),
        deprecated_since: time.nullable(),
        sunset_at: z.string().nullable(),
        announced: z.boolean().describe('answers have a Deprecation or Sunset header'),
        link: z.string().nullable().describe('a page about it, or its successor'),
      })
      .nullable()
      .describe('null: nothing says that it ends'),
    owners: z.array(z.string()).describe('who answers for it'),
    code_location: z
      .object({
        function: z.string().nullable(),
        file: z.string().nullable(),
        line: count.nullable(),
        shared_by: count.describe(
          'other routes of the service with this location: of many it is that of a middleware',
        ),
      })
      .nullable()
      .describe('as the code.* attributes of its SERVER spans say; null without them'),
  }),
);

export type Evidence = z.output<typeof evidenceSchema>;
