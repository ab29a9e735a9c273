import { z } from 'zod';
import type { Question } from './question.ts';
import type { Column } from './table.ts';

/** The API's own OpenAPI 3.1 document, made from the schemas that check the requests. */
export function openapiDocument(questions: readonly Question[], version: string): object {
  const paths = Object.fromEntries(
    questions.map((question) => [
      question.path.replaceAll(/:(\w+)/g, '{$1}'),
      { get: operation(question) },
    ]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version,
      description:
        'Which endpoints are alive, slow, failing or dead, and who calls them. Durations are milliseconds, rates percent, times ISO 8601 UTC.',
    },
    servers: [{ url: '/api/v1' }],
    paths,
    components: { schemas: { Error: errorSchema } },
  };
}

function operation({ name, path, about, parameters, list }: Question): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(parameters.shape).map(([parameter, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema as z.ZodType, { io: 'input' });
    // zod leaves the default out where text becomes something else.
    if (schema instanceof z.ZodDefault) rest.default = schema.def.defaultValue as number | string;
    return { name: parameter, in: 'query', required: false, description, schema: rest };
  });
  const formats = 'format' in parameters.shape ? tableFormats : {};
  return {
    operationId: name,
    summary: about,
    parameters: [...inPath, ...inQuery],
    responses: {
      '200': {
        description: about,
        content: { 'application/json': { schema: answerSchema(list) }, ...formats },
      },
      '400': errorResponse('A parameter is wrong'),
      ...(inPath.length > 0 && { '404': errorResponse('There is no such thing') }),
      '503': errorResponse('The store cannot be read now; try again'),
    },
  };
}

const tableFormats = {
  'text/csv': { schema: { type: 'string' } },
  'text/markdown': { schema: { type: 'string' } },
};

const nullableText = { type: ['string', 'null'] };

const headSchemas = {
  generated_at: { type: 'string', format: 'date-time' },
  window: {
    type: 'object',
    properties: {
      from: { type: 'string', format: 'date-time' },
      to: { type: 'string', format: 'date-time' },
      resolution: { type: 'string', enum: ['minute', 'hour', 'day'] },
    },
  },
  filters: { type: 'object', additionalProperties: nullableText },
  observed_since: { ...nullableText, format: 'date-time' },
  estimated: { type: 'boolean' },
};

function answerSchema(list: Question['list']): object {
  const properties: Record<string, object> = { ...headSchemas };
  if (list) {
    properties[list.noun] = { type: 'array', items: rowSchema(list.columns) };
    properties.next_cursor = nullableText;
  }
  return { type: 'object', properties };
}

function rowSchema(columns: readonly Column<never>[]): object {
  const properties = columns.map(({ name, type, about }) => [
    name,
    type === 'array' ? { type, description: about } : { type: [type, 'null'], description: about },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'field'],
      properties: { code: { type: 'string' }, message: { type: 'string' }, field: nullableText },
    },
  },
};

function errorResponse(description: string): object {
  const schema = { $ref: '#/components/schemas/Error' };
  return { description, content: { 'application/json': { schema } } };
}
