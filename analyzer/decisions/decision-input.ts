import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { decisionActions } from '../../core/store/decisions.ts';
import { parseTime } from '../query/parameters.ts';

const author = limits.decisionAuthorChars;
const reason = limits.decisionReasonChars;

/** The fields by which a person decides. */
const decisionShape = {
  decision: z.enum(decisionActions).describe(`one of ${decisionActions.join(', ')}`),
  reason: z.string().max(reason).default('').describe(`text of at most ${reason} characters`),
  until: z
    .string()
    .transform((text, context) => {
      const ms = parseTime(text);
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: 'no time' });
      return z.NEVER;
    })
    .nullish()
    .describe('an ISO 8601 date or time, such as 2026-12-31, or null for never')
    .meta({ format: 'date-time' }),
  by: z.string().max(author).default('').describe(`text of at most ${author} characters`),
};

/** The body of one endpoint's decision. */
export const decisionInput = z.strictObject(decisionShape);

/** An entry of `rollcall.decisions.yaml`. */
export const decisionEntry = z.strictObject({
  service: z
    .string()
    .min(1)
    .max(limits.serviceNameBytes)
    .describe(`the name of a service, at most ${limits.serviceNameBytes} characters`),
  environment: z
    .string()
    .max(limits.environmentBytes)
    .nullish()
    .describe(`the name of an environment, at most ${limits.environmentBytes} characters, or none`),
  method: z
    .string()
    .regex(/^([A-Za-z][A-Za-z-]{0,31}|\*)$/)
    .transform((method) => method.toUpperCase())
    .describe('an HTTP method, or * where the inventory declares none'),
  route: z
    .string()
    .min(1)
    .max(limits.routeBytes)
    .describe(`a route of at most ${limits.routeBytes} characters`),
  ...decisionShape,
});

/** The file, in YAML or JSON. */
export const decisionFile = z.strictObject({
  decisions: z.array(z.unknown()).describe('a list of decisions'),
});

/** In the OpenAPI document, which has the fields before they are read. */
export const jsonSchemaOf = (schema: z.ZodType): object => {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
};
