import { z } from 'zod';
import type { Query } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import type { Command } from '../tenancy/command.ts';

/** The API's own OpenAPI 3.1 document, made from the schemas that check the requests. */
export function openapiDocument(
  questions: readonly Query[],
  commands: readonly Command[],
  version: string,
): object {
  const paths: Record<string, object> = {};
  for (const question of questions) paths[pathOf(question)] = { get: operation(question) };
  for (const command of commands) {
    const path = pathOf(command);
    paths[path] = { ...paths[path], [command.method.toLowerCase()]: commandOperation(command) };
  }
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
    components: { securitySchemes, schemas: { Error: errorSchema } },
  };
}

const pathOf = ({ path }: { path: string }): string => path.replaceAll(/:(\w+)/g, '{$1}');

function operation({ name, path, about, parameters, list }: Query): object {
  const inPath = pathParameters(path);
  const formats = 'format' in parameters.shape ? tableFormats : {};
  return {
    operationId: name,
    summary: about,
    security: security(['read', 'admin']),
    parameters: [...inPath, ...queryParameters(parameters)],
    responses: {
      '200': {
        description: about,
        content: { 'application/json': { schema: answerSchema(list) }, ...formats },
      },
      '400': errorResponse('A parameter is wrong'),
      ...refusals,
      ...(inPath.length > 0 && { '404': errorResponse('There is no such thing') }),
      '503': errorResponse('The store cannot be read now; try again'),
    },
  };
}

/** Roles are scopes of keys; `operator` stands for whoever holds ROLLCALL_ADMIN_KEY. */
function commandOperation({ name, path, about, by, ...command }: Command): object {
  const inPath = pathParameters(path);
  const schema = command.list
    ? listSchema(command.list.noun, command.list.columns)
    : command.row && rowSchema(command.row);
  const tables = 'format' in command.parameters.shape ? tableFormats : {};
  const content = schema && { 'application/json': { schema }, ...tables };
  const body = command.body && z.toJSONSchema(command.body, { io: 'input' });
  return {
    operationId: name,
    summary: about,
    security: security(by === 'operator' ? ['operator'] : ['admin', 'operator']),
    parameters: [...inPath, ...queryParameters(command.parameters)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: body } } },
    }),
    responses: {
      [command.status]: { description: about, ...(content && { content }) },
      '400': errorResponse('A parameter or field is wrong'),
      ...refusals,
      '404': errorResponse('There is no such project or key'),
      '409': errorResponse('Authentication is off, there is one already, or a bound is reached'),
      ...(body && {
        '413': errorResponse('The body is too large'),
        '415': errorResponse('The body is not JSON'),
      }),
      '503': errorResponse('The store cannot be written now; try again'),
    },
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(parameters: z.ZodObject<z.ZodRawShape>): object[] {
  return Object.entries(parameters.shape).map(([parameter, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema as z.ZodType, { io: 'input' });
    // zod leaves the default out where text becomes something else.
    if (schema instanceof z.ZodDefault) rest.default = schema.def.defaultValue as number | string;
    return { name: parameter, in: 'query', required: false, description, schema: rest };
  });
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'a key, with ROLLCALL_AUTH=keys' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'the same key' },
};

/** One of the roles is enough, in either header. */
const security = (roles: readonly string[]): object[] =>
  roles.flatMap((role) => [{ bearer: [role] }, { apiKey: [role] }]);

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

function answerSchema(list: Query['list']): object {
  const properties: Record<string, object> = { ...headSchemas };
  if (list) {
    properties[list.noun] = { type: 'array', items: rowSchema(list.columns) };
    properties.next_cursor = nullableText;
  }
  return { type: 'object', properties };
}

function listSchema(noun: string, columns: readonly Column<never>[]): object {
  const properties = {
    [noun]: { type: 'array', items: rowSchema(columns) },
    next_cursor: nullableText,
  };
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

const refusals = {
  '401': errorResponse('No key, or none that is known here'),
  '403': errorResponse('The key may not do this'),
  '429': errorResponse('Too many wrong keys came from this address'),
};
