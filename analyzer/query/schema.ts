import { z } from 'zod';

/**
 * Schemas of answers. They type what a query answers, and the OpenAPI document is made from them, so an
 * answer cannot hold a field that the document does not know.
 */

/** Schemas that have a name in the OpenAPI document (`#/components/schemas/…`). */
export const namedSchemas = z.registry<{ id: string }>();

export function named<T extends z.ZodType>(id: string, schema: T): T {
  namedSchemas.add(schema, { id });
  return schema;
}

/** ISO 8601, UTC. */
export const time = z.iso.datetime();
/** A count of calls, endpoints, clients. */
export const count = z.int().nonnegative();
/** 0 to 100. Null where there were no calls. */
export const percentOrNull = z.number().min(0).max(100).nullable();
/** Milliseconds with three decimals. Null where no call has a latency. */
export const millisecondsOrNull = z.number().nonnegative().nullable();

/** Continues a list; null on its last page. */
export const nextCursor = z
  .string()
  .nullable()
  .describe('give it as cursor= for the next page; null on the last page');
