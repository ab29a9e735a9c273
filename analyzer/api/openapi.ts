import { z } from 'zod';
import type { Action } from '../../core/auth/authorizer.ts';
import { limits } from '../../core/limits.ts';
import { type Format, formats } from '../query/formats.ts';
import type { ProjectCommand } from '../query/project-command.ts';
import type { Query } from '../query/query.ts';
import { named, namedSchemas } from '../query/schema.ts';
import type { Command } from '../tenancy/command.ts';
import { exampleAnswers } from './examples.ts';

/** The API's own OpenAPI 3.1 document, made from the schemas that check requests and type answers. */
export function openapiDocument(
  queries: readonly Query[],
  commands: readonly Command[],
  projectCommands: readonly ProjectCommand[],
  version: string,
): object {
  const paths: Record<string, object> = {};
  for (const query of queries) paths[pathOf(query)] = { get: queryOperation(query) };
  for (const command of commands) {
    const path = pathOf(command);
    paths[path] = { ...paths[path], [command.method.toLowerCase()]: commandOperation(command) };
  }
  for (const command of projectCommands) {
    const path = pathOf(command);
    paths[path] = { ...paths[path], [command.method.toLowerCase()]: projectOperation(command) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version,
      description:
        'Which endpoints are alive, slow, failing or dead, and who calls them. Durations are milliseconds, rates percent, times ISO 8601 UTC.',
      contact: { name: 'Rollcall' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the document, so that any path prefix works.
    servers: [{ url: '../v1', description: 'where this document comes from' }],
    tags,
    paths,
    components: { securitySchemes, schemas: componentSchemas() },
  };
}

const tags = [
  { name: 'reports', description: 'Queries of what was observed' },
  { name: 'inventory', description: 'Declared routes of a service' },
  { name: 'decisions', description: 'What is to become of endpoints' },
  { name: 'verdicts', description: 'Evidence for a verdict, and verdicts over time' },
  { name: 'consumers', description: 'What people wrote down about consumers' },
  { name: 'events', description: 'What people and pipelines tell beside the calls' },
  { name: 'tenancy', description: 'Projects and their keys' },
];

const pathOf = ({ path }: { path: string }): string => path.replaceAll(/:(\w+)/g, '{$1}');

function queryOperation({
  name,
  hasPdf,
  path,
  about,
  parameters,
  schema,
  list,
  texts = {},
}: Query): object {
  const inPath = pathParameters(path);
  return {
    operationId: name,
    tags: ['reports'],
    summary: about,
    ...authority(about, ['read', 'admin']),
    parameters: [...inPath, ...queryParameters(parameters)],
    responses: {
      '200': {
        description: about,
        content: contentOf(name, schema, list !== undefined, texts, hasPdf),
      },
      '400': errorResponse('A parameter is wrong'),
      ...refusals,
      ...(canBeMissing(path, parameters) && {
        '404': errorResponse('There is no such endpoint, service or version'),
      }),
      '503': errorResponse('The store cannot be read now; try again'),
    },
  };
}

const canBeMissing = (path: string, { shape }: z.ZodObject<z.ZodRawShape>): boolean =>
  path.includes(':') || 'endpoint' in shape || 'before_version' in shape;

function commandOperation(command: Command): object {
  const { name, path, about, by, input, schema, list } = command;
  const content = schema && contentOf(name, schema, list !== undefined);
  const body = input && z.toJSONSchema(input, { io: 'input' });
  delete body?.$schema;
  return {
    operationId: name,
    tags: ['tenancy'],
    summary: about,
    ...authority(about, by === 'operator' ? ['operator'] : ['admin', 'operator']),
    parameters: [...pathParameters(path), ...queryParameters(command.parameters)],
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

function projectOperation(command: ProjectCommand): object {
  const { name, path, tag, about, action, body, status, parameters, schema, failures } = command;
  const content = schema && {
    ...contentOf(name, schema, false),
    ...(command.markdown && { 'text/markdown': { schema: { type: 'string' } } }),
  };
  const types = Object.entries(body?.schemas ?? {});
  return {
    operationId: name,
    tags: [tag],
    summary: about,
    ...authority(about, rolesOf[action]),
    parameters: [...pathParameters(path), ...queryParameters(parameters)],
    ...(body && {
      requestBody: {
        required: true,
        description: body.description,
        content: Object.fromEntries(
          types.map(([type, typeSchema]) => [type, { schema: typeSchema }]),
        ),
      },
    }),
    responses: {
      [status]: { description: about, ...(content && { content }) },
      '400': errorResponse(body ? 'A parameter or the body is wrong' : 'A parameter is wrong'),
      ...refusals,
      ...Object.fromEntries(
        Object.entries(failures).map(([code, reason]) => [code, errorResponse(reason)]),
      ),
      '503': errorResponse('The store cannot be read or written now; try again'),
    },
  };
}

/** Every format of a list; JSON alone for the rest. */
function contentOf(
  name: string,
  schema: z.ZodType,
  isList: boolean,
  own: Readonly<Record<string, Format>> = {},
  hasPdf = false,
): object {
  const example = exampleAnswers.get(name);
  const answer = reference(schemaId(name, schema));
  const json = { 'application/json': { schema: answer, ...(example && { example }) } };
  const all = { ...(isList && formats), ...own };
  const texts = Object.entries(all).filter(([format]) => format !== 'json');
  const types = texts.map(([, { contentType }]) => contentType.split(';')[0]!);
  return {
    ...json,
    ...Object.fromEntries(types.map((type) => [type, { schema: text }])),
    ...(hasPdf && { 'application/pdf': { schema: binary } }),
  };
}

const text = { type: 'string' };
const binary = { type: 'string', contentMediaType: 'application/pdf' };

/** A schema without a name is the answer of one operation. */
function schemaId(operation: string, schema: z.ZodType): string {
  const known = namedSchemas.get(schema)?.id;
  if (known !== undefined) return known;
  const id = `${operation[0]!.toUpperCase()}${operation.slice(1)}Answer`;
  named(id, schema);
  return id;
}

const referenceOf = (id: string): string => `#/components/schemas/${id}`;
const reference = (id: string): object => ({ $ref: referenceOf(id) });

/** All named schemas; the operations must have been written before, since they name theirs. */
function componentSchemas(): Record<string, object> {
  const { schemas } = z.toJSONSchema(namedSchemas, {
    uri: referenceOf,
    io: 'output',
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]),
  );
}

/**
 * Answers gain fields with new versions, so no object is closed. Patterns of times and bounds of integers
 * repeat `format` and `type`, and are left out.
 */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.format === 'date-time') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    ...(parameter === 'service' ? serviceInPath : anyId),
  }));
}

const anyId = { description: 'an id that a list of the API showed', schema: { type: 'string' } };
const serviceInPath = {
  description: 'the exact name of a service, which need not have been observed yet',
  schema: { type: 'string', minLength: 1, maxLength: limits.serviceNameBytes },
};

function queryParameters(parameters: z.ZodObject<z.ZodRawShape>): object[] {
  return Object.entries(parameters.shape).map(([parameter, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema as z.ZodType, { io: 'input' });
    // zod leaves the default out where text becomes something else.
    if (schema instanceof z.ZodDefault) rest.default = schema.def.defaultValue as number | string;
    const isList = rest.type === 'array';
    // The text of a list has a pattern; its items have one of their own.
    if (isList) delete rest.pattern;
    return {
      name: parameter,
      in: 'query',
      required: false,
      description,
      ...(isList && { style: 'form', explode: false }),
      schema: rest,
    };
  });
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'a key, with ROLLCALL_AUTH=keys' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'the same key' },
};

type Role = 'ingest' | 'read' | 'admin' | 'operator';

const rolesOf: Record<Action, readonly Role[]> = {
  ingest: ['ingest'],
  read: ['read', 'admin'],
  declare: ['ingest', 'admin'],
  decide: ['admin'],
  describe: ['admin'],
};

/**
 * Who may call an operation, for people and for programs. Either header is enough. OpenAPI has scopes for
 * OAuth alone, so that those of keys are in a field of our own. `operator` is the holder of ROLLCALL_ADMIN_KEY.
 */
function authority(about: string, roles: readonly Role[]): object {
  const scopes = roles.filter((role) => role !== 'operator').join(' or ');
  const key = scopes === '' ? [] : [`a key of scope ${scopes}`];
  const needs = roles.includes('operator')
    ? [...key, 'ROLLCALL_ADMIN_KEY']
    : [`${key[0]}, unless authentication is off`];
  return {
    description: `${about}. Needs ${needs.join(' or ')}.`,
    security: [{ bearer: [] }, { apiKey: [] }],
    'x-key-scopes': roles,
  };
}

const errorSchema = named(
  'Error',
  z.object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      field: z.string().nullable().describe('the parameter or field that is wrong, if any'),
    }),
  }),
);

function errorResponse(description: string): object {
  const schema = reference(schemaId('error', errorSchema));
  return { description, content: { 'application/json': { schema } } };
}

const refusals = {
  '401': errorResponse('No key, or none that is known here'),
  '403': errorResponse('The key may not do this'),
  '429': errorResponse('Too many wrong keys came from this address'),
  '431': {
    description: `The address and the headers together are longer than ${limits.headerBytes / 1024} KB`,
  },
};
