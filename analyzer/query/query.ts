import type { z } from 'zod';
import type { QueryContext } from './answer-head.ts';
import type { Format, List } from './formats.ts';
import type { WithRows } from './table-rows.ts';

/**
 * A query of the data: its address, its parameters and its answer. The REST listener and the OpenAPI
 * document are both made from the list of queries (analyzer/api/queries.ts).
 */
export interface Query {
  /** For metrics and the operation id. */
  name: string;
  /** Below /api/v1, in Express's spelling. */
  path: string;
  about: string;
  parameters: z.ZodObject<z.ZodRawShape>;
  /** Of the JSON answer. */
  schema: z.ZodType<object>;
  /** The answer is a list, which has other formats too. */
  list?: List;
  /** Forms of the answer besides JSON that only this query has, by the name of `format=`. */
  texts?: Readonly<Record<string, Format>>;
  /** `format=pdf` makes a document of it (analyzer/pdf/documents.ts). */
  hasPdf?: true;
  answer(context: QueryContext, parameters: never, path: Record<string, string>): Promise<object>;
}

/** Checks a query's types against its schemas, then erases them: the list of queries holds them all. */
export function defineQuery<S extends z.ZodRawShape, B extends z.ZodType<object>>(
  definition: Omit<Query, 'parameters' | 'schema' | 'answer'> & {
    parameters: z.ZodObject<S>;
    schema: B;
    answer(
      context: QueryContext,
      parameters: z.output<z.ZodObject<S>>,
      path: Record<string, string>,
    ): Promise<WithRows<z.output<B>>>;
  },
): Query {
  return definition as unknown as Query;
}
