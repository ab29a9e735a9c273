import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { decisionActions } from '../../core/store/decisions.ts';
import { dayS } from '../../core/window.ts';
import { formatNames } from './formats.ts';
import { statuses } from './status.ts';

/**
 * Strict query parameters: an unknown, repeated or wrong one is refused with its name, its value and the
 * allowed values. A parameter's description states them; the error message and the OpenAPI document both use
 * it. `meta` gives the document's type when the text of a URL is converted.
 */

/** @param search the URL's query, with or without its question mark. @throws AppError `invalid` */
export function readParameters<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  search: string,
): z.output<z.ZodObject<S>> {
  // Looking for repeated names costs the square of their number.
  const count = search.split('&').length;
  if (count > limits.queryParameters) {
    const message = `the query has ${count} parameters; the bound is ${limits.queryParameters}`;
    throw new AppError('invalid', message);
  }
  const query = new URLSearchParams(search);
  const given: [string, string][] = [];
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    if (values.length > 1 && !isList(schema.shape[name])) {
      const message = `parameter ${quote(name)} was given ${values.length} times; give it once`;
      throw new AppError('invalid', message, { field: shorten(name) });
    }
    given.push([name, values.join(',')]);
  }
  const outcome = schema.safeParse(Object.fromEntries(given));
  if (outcome.success) return outcome.data;
  throw wrongParameter(schema, new Map(given), outcome.error.issues[0]!);
}

/** The parameter is a list: `status=cold,dead`, or `status=cold&status=dead` as some generated clients write. */
function isList(schema: z.core.$ZodType | undefined): boolean {
  return schema !== undefined && z.globalRegistry.get(schema)?.type === 'array';
}

function wrongParameter(
  schema: z.ZodObject<z.ZodRawShape>,
  given: ReadonlyMap<string, string>,
  issue: z.core.$ZodIssue,
): AppError {
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0]!;
    const known = Object.keys(schema.shape).join(', ') || 'none';
    const message = `unknown parameter ${quote(name)}; known here: ${known}`;
    return new AppError('invalid', message, { field: shorten(name) });
  }
  const name = String(issue.path[0]);
  const allowed = (schema.shape[name] as z.ZodType).description;
  const message = `${name}=${quote(given.get(name) ?? '')} is not allowed; give ${allowed}`;
  return new AppError('invalid', message, { field: name });
}

const quote = (text: string): string => JSON.stringify(shorten(text));

/** A message repeats what the caller sent, but never megabytes of it. */
const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

const windowUnitS = { m: 60, h: 3600, d: dayS } as const;

const window = z
  .string()
  .regex(/^[1-9]\d{0,6}[mhd]$/)
  .transform((text) => Number(text.slice(0, -1)) * windowUnitS[text.slice(-1) as 'm' | 'h' | 'd'])
  .refine((seconds) => seconds <= limits.windowDays * dayS)
  .optional()
  .describe(
    `minutes, hours or days up to now, such as 15m, 24h, 7d or 30d, at most ${limits.windowDays}d; 30d unless told`,
  );

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-](\d\d):(\d\d))?)?$/;

/** Milliseconds since the epoch, or undefined when the text is no time. Without a zone it is UTC. */
export function parseTime(text: string): number | undefined {
  // A plus sign that was not escaped in a URL arrives as a space.
  const candidate = text.replace(/ (?=\d\d:\d\d$)/, '+');
  const match = timePattern.exec(candidate);
  if (!match) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0'] = match;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // Date.UTC takes 31 February for 3 March.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const zoned = /T.*(Z|[+-]\d\d:\d\d)$/.test(candidate) || !candidate.includes('T');
  const ms = Date.parse(zoned ? candidate : `${candidate}Z`);
  return Number.isNaN(ms) || ms < 0 || ms > 2 ** 32 * 1000 ? undefined : ms;
}

export const timeParameter = (what: string) =>
  z
    .string()
    .transform((text, context) => {
      const ms = parseTime(text);
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: 'no time' });
      return z.NEVER;
    })
    .optional()
    .describe(
      `${what}: an ISO 8601 date or time since 1970, UTC unless it names an offset, such as 2026-01-31 or 2026-01-31T12:30:00Z`,
    )
    .meta({ format: 'date-time' });

const name = (what: string, lengthMax: number) =>
  z.string().max(lengthMax).optional().describe(`${what}, at most ${lengthMax} characters`);

/** Every query takes these. */
export const commonParameters = {
  service: name('the exact name of a service', limits.serviceNameBytes),
  environment: name(
    'the exact name of an environment, empty for services that name none',
    limits.environmentBytes,
  ),
  window,
  from: timeParameter('the first moment of the window'),
  to: timeParameter('the moment after the window, now unless told'),
};

/** A list of names, separated by commas. */
export const listParameter = <const T extends string>(values: readonly T[], what: string) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values)))
    .optional()
    .describe(`${what}, separated by commas: ${values.join(', ')}`)
    .meta({ type: 'array', items: { type: 'string', enum: values } });

export const methodParameter = z
  .string()
  .regex(/^[A-Za-z_-]{1,32}(,[A-Za-z_-]{1,32}){0,19}$/)
  .transform((text) => text.toUpperCase().split(','))
  .optional()
  .describe('one or more HTTP methods, separated by commas, such as GET or GET,HEAD')
  .meta({ type: 'array', items: { type: 'string', pattern: '^[A-Za-z_-]{1,32}$' }, maxItems: 20 });

export const versionParameter = name(
  'the exact version of a service (service.version): only calls that it answered; empty for calls of unknown version',
  limits.versionBytes,
);

export const routeParameter = z
  .string()
  .min(1)
  .max(limits.routeBytes)
  .optional()
  .describe(
    `a route as reports show it (route or route_display); * matches any run of characters and ? one character, such as /users/{id} or /api/*; at most ${limits.routeBytes} characters`,
  );

/** Decisions by which a list of endpoints is narrowed: that which holds, none, or one to be taken again. */
export const decisionFilters = [...decisionActions, 'none', 'returned'] as const;
export type DecisionFilter = (typeof decisionFilters)[number];

const statusParameter = listParameter(statuses, 'one or more statuses of endpoints');

const ownerParameter = z
  .string()
  .max(200)
  .optional()
  .describe('the exact name of an owner, empty for endpoints without one; at most 200 characters');

/** Which endpoints a query is about. */
export const chosenEndpoints = {
  status: statusParameter,
  owner: ownerParameter,
  method: methodParameter,
  route: routeParameter,
};

/** What narrows a list of endpoints. */
export const filterParameters = {
  status: statusParameter,
  decision: listParameter(
    decisionFilters,
    'decisions that hold, none for endpoints without one, returned for those to be taken again',
  ),
  owner: ownerParameter,
  method: methodParameter,
  route: routeParameter,
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('text that stands in the service, method or route, at most 200 characters'),
};

export const endpointParameter = z
  .string()
  .min(1)
  .max(limits.endpointIdChars)
  .optional()
  .describe(
    `the id of an endpoint, as reports show it, at most ${limits.endpointIdChars} characters`,
  );

export const orderParameter = z
  .enum(['asc', 'desc'])
  .optional()
  .describe('asc or desc; desc for numbers and times, asc for text unless told');

export const formatParameter = z
  .enum(formatNames)
  .default('json')
  .describe(`${formatNames.slice(0, -1).join(', ')} or ${formatNames.at(-1)}`);

export const bomParameter = z
  .enum(['true', 'false'])
  .default('false')
  .describe('true or false: CSV begins with a byte order mark, by which Excel knows UTF-8');

/** Of the queries that `format=pdf` makes a document of. */
export const formatOrPdfParameter = z
  .enum([...formatNames, 'pdf'])
  .default('json')
  .describe(`${formatNames.join(', ')} or pdf`);

export const limitParameter = (max: number, fallback: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}$/)
    .transform(Number)
    .refine((rows) => rows <= max)
    .default(fallback)
    .describe(`a whole number from 1 to ${max}; ${fallback} unless told`)
    .meta({ type: 'integer', minimum: 1, maximum: max });

/** Parameters that page a list; analyzer/query/page.ts checks `cursor`. */
export const pageParameters = (limitDefault: number = limits.listRows) => ({
  limit: limitParameter(limits.listRows, limitDefault),
  cursor: z
    .string()
    .max(limits.cursorCharacters)
    // A cursor of other characters could be longer, encoded, than a request's headers may be.
    .regex(/^[A-Za-z0-9_-]*$/)
    .optional()
    .describe('the next_cursor of the answer before, with all other parameters as they were'),
  format: formatParameter,
  bom: bomParameter,
});
