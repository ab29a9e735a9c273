import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { DeclaredRoute } from '../../core/store/inventory.ts';
import type { ReadInventory } from './declared-route.ts';

/**
 * The operations of an OpenAPI 3.0 or 3.1 or a Swagger 2 document. Only `paths`, `servers` and `basePath` are
 * read, so a document with wrong schemas is accepted. References are followed inside the document only, at most
 * `limits.inventoryReferences` in a row.
 * @param document parsed JSON or YAML
 * @throws AppError `invalid` with the fault
 */
export function readOpenapi(document: Record<string, unknown>): ReadInventory {
  const isSwagger = document.swagger !== undefined;
  const version = String(isSwagger ? document.swagger : document.openapi);
  if (!(isSwagger ? /^2\./ : /^3\.\d/).test(version)) {
    const field = isSwagger ? 'swagger' : 'openapi';
    throw invalid(`${field} is ${quoted(version)}; 2.x of swagger and 3.x of openapi are read`);
  }
  const paths = document.paths ?? {};
  if (!isObject(paths)) throw invalid('paths of the document is no object');
  const notes: string[] = [];
  const routes: DeclaredRoute[] = [];
  for (const [path, told] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    if (!path.startsWith('/')) {
      note(notes, `path ${quoted(path)} does not begin with "/": left out`);
      continue;
    }
    const item = resolve(document, told, `paths ${quoted(path)}`);
    for (const [key, operation] of Object.entries(item)) {
      if (!operationKeys.has(key)) continue;
      if (!isObject(operation)) {
        note(notes, `${key} of path ${quoted(path)} is no object: left out`);
        continue;
      }
      // Fragments (Stripe's `/a#action`) name operations that are one endpoint in HTTP.
      routes.push(declared(key.toUpperCase(), path.replace(/[#?].*$/, ''), operation));
    }
  }
  const prefixes = isSwagger ? swaggerPrefixes(document) : serverPrefixes(document, notes);
  return { format: isSwagger ? 'swagger' : 'openapi', routes, prefixes, notes };
}

/** The members of a path item that are operations (OpenAPI 3.1, Path Item Object; `query` came with 3.2). */
const operationKeys = new Set('get put post delete options head patch trace query'.split(' '));

function declared(method: string, route: string, operation: Record<string, unknown>) {
  const owner =
    text(operation['x-owner']) ?? (list(operation.tags).map(text).find(Boolean) as string);
  const sunset = text(operation['x-sunset']);
  const deprecatedSince = text(operation['x-deprecated-since']);
  const operationId = text(operation.operationId);
  return {
    method,
    route,
    deprecated: operation.deprecated === true,
    ...(operationId !== undefined && { operationId }),
    ...(owner !== undefined && { owner }),
    ...(sunset !== undefined && { sunset }),
    ...(deprecatedSince !== undefined && { deprecatedSince }),
  };
}

/** @throws AppError `invalid` for a reference out of the document, in a circle or to nothing */
function resolve(
  document: Record<string, unknown>,
  told: unknown,
  place: string,
): Record<string, unknown> {
  let item = told;
  for (let hop = 0; isObject(item) && typeof item.$ref === 'string'; hop += 1) {
    const reference = item.$ref;
    if (hop >= limits.inventoryReferences) {
      throw invalid(`${place}: more than ${limits.inventoryReferences} references in a row`);
    }
    if (!reference.startsWith('#/')) {
      throw invalid(
        `${place}: the reference ${quoted(reference)} leads out of the document; bundle it into one`,
      );
    }
    item = at(document, reference);
    if (item === undefined) throw invalid(`${place}: ${quoted(reference)} is not in the document`);
  }
  if (!isObject(item)) throw invalid(`${place} is no object`);
  return item;
}

/** What a JSON pointer (RFC 6901) leads to. */
function at(document: unknown, reference: string): unknown {
  let found = document;
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(found) && !Array.isArray(found)) return undefined;
    const name = safeDecode(key);
    found = Object.hasOwn(found, name) ? (found as Record<string, unknown>)[name] : undefined;
  }
  return found;
}

function swaggerPrefixes({ basePath }: Record<string, unknown>): string[] {
  const prefix = pathOf(text(basePath) ?? '');
  return prefix === '' ? [] : [prefix];
}

function serverPrefixes({ servers }: Record<string, unknown>, notes: string[]): string[] {
  const prefixes = new Set<string>();
  for (const server of list(servers).slice(0, limits.inventoryPrefixes)) {
    if (!isObject(server)) continue;
    const url = (text(server.url) ?? '').replace(/\{([^{}]+)\}/g, (whole, name: string) => {
      const variable = isObject(server.variables) ? server.variables[name] : undefined;
      return isObject(variable) ? String(variable.default ?? whole) : whole;
    });
    const prefix = pathOf(url);
    if (prefix !== '') prefixes.add(prefix);
  }
  if (list(servers).length > limits.inventoryPrefixes) {
    note(notes, `of the servers the first ${limits.inventoryPrefixes} are read`);
  }
  return [...prefixes];
}

/** The path of a URL or relative reference, without its last slash. */
function pathOf(url: string): string {
  const path = url.replace(/^[a-z][\w+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '');
  const trimmed = path.replace(/\/+$/, '').replace(/^\/+/, '');
  return trimmed === '' || trimmed === '.' ? '' : `/${trimmed}`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Beyond the bound the notes say only that there are more. */
export function note(notes: string[], sentence: string): void {
  if (notes.length < limits.inventoryNotes) notes.push(sentence);
  else if (notes.length === limits.inventoryNotes) notes.push('there is more that was left out');
}

export const quoted = (value: string): string => JSON.stringify(value.slice(0, 100));

function safeDecode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function invalid(message: string): AppError {
  return new AppError('invalid', message, { field: 'body' });
}
