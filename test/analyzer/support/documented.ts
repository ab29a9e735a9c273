import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { openapiDocument } from '../../../analyzer/api/openapi.ts';
import { projectCommands } from '../../../analyzer/api/project-commands.ts';
import { queries } from '../../../analyzer/api/queries.ts';
import { commands } from '../../../analyzer/tenancy/commands.ts';

/**
 * Holds answers against the OpenAPI document. Objects are closed here: a field that the document does not
 * know fails a test, although the document itself promises that answers may gain fields.
 */
const document = structuredClone(
  openapiDocument(queries, commands, projectCommands, '0.0.0'),
) as OpenapiDocument;

export interface OpenapiDocument {
  paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
  components: { schemas: Record<string, object> };
}

close(document.components.schemas);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: 'rollcall', ...document });
const validators = new Map<string, ValidateFunction>();

/** @throws Error that names the path and what the document does not allow */
export function checkDocumented(method: string, path: string, status: number, body: unknown): void {
  const template = templateOf(path.split('?', 1)[0]!);
  const operation = template && document.paths[template]?.[method.toLowerCase()];
  // The 404 of a path and the 405 of a method belong to no operation.
  if (!template || !operation) return;
  const response = operation.responses[status];
  // A mistake of ours has no place in the document.
  if (status === 500) return;
  const shown = `${method} ${path}: status ${status}`;
  if (response === undefined) throw new Error(`${shown} is not in the OpenAPI document`);
  const pointer = [template, method.toLowerCase(), 'responses', String(status)].map(escaped);
  const reference = `rollcall#/paths/${pointer.join('/')}/content/application~1json/schema`;
  const validate = validators.get(reference) ?? ajv.compile({ $ref: reference });
  validators.set(reference, validate);
  if (validate(body)) return;
  throw new Error(`${shown} is not what the document says: ${ajv.errorsText(validate.errors)}`);
}

/** `/endpoints/7` is `/endpoints/{id}`; literal paths come first in the document. */
function templateOf(path: string): string | undefined {
  if (path in document.paths) return path;
  return Object.keys(document.paths).find((template) => {
    const pattern = template.replaceAll(/\{\w+\}/g, '[^/]+');
    return new RegExp(`^${pattern}$`).test(path);
  });
}

const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

function close(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const value of Object.values(schema)) close(value);
  const { type, properties } = schema as { type?: string; properties?: object };
  if (type === 'object' && properties && !('additionalProperties' in schema)) {
    Object.assign(schema, { additionalProperties: false });
  }
}
