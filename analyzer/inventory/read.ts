import { JSON_SCHEMA, load } from 'js-yaml';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { DeclaredRoute } from '../../core/store/inventory.ts';
import type { InventoryFormat, ReadInventory } from './declared-route.ts';
import { isObject, note, quoted, readOpenapi } from './openapi.ts';
import { jsonRoutes } from './printers/json.ts';
import {
  djangoUrls,
  fastifyRoutes,
  flaskRoutes,
  lineRoutes,
  nestRoutes,
  railsRoutes,
} from './printers/table.ts';

/**
 * Reads the declared routes of a service: an OpenAPI document, a list of routes or the output of a framework's
 * route printer. The content decides, not the Content-Type, which is often wrong when the upload comes from a
 * pipe.
 * @throws AppError `invalid` when it is none of these, or declares nothing; `too_large` for too many routes
 */
export function readInventory(body: string): ReadInventory {
  const text = body.replace(/^\uFEFF/, '');
  if (text.trim() === '') throw invalid('the body is empty; send an OpenAPI document or routes');
  const found = readDocument(text) ?? readLines(text);
  const routes = distinct(found.routes, found.notes);
  if (routes.length === 0) throw invalid(`no route was found in the ${found.format} that was sent`);
  if (routes.length > limits.inventoryRoutes) {
    const message = `${routes.length} routes are declared; a service has at most ${limits.inventoryRoutes}`;
    throw new AppError('too_large', message, { field: 'body' });
  }
  return { ...found, routes };
}

/** JSON or YAML; undefined for lines. */
function readDocument(text: string): ReadInventory | undefined {
  const isJson = /^\s*[[{]/.test(text) && !/^\s*\[\w*\]/.test(text);
  if (isJson) return ofDocument(parseJson(text));
  if (!/^(openapi|swagger|routes|["']?(openapi|swagger)["']?)\s*:/m.test(text)) return undefined;
  return ofDocument(parseYaml(text));
}

function ofDocument(document: unknown): ReadInventory {
  if (isObject(document) && (document.openapi !== undefined || document.swagger !== undefined)) {
    return readOpenapi(document);
  }
  const found = jsonRoutes(document);
  if (found) return { ...found, prefixes: [], notes: [] };
  throw invalid(
    'the document is no OpenAPI or Swagger document (it has neither "openapi" nor "swagger"), no {"routes": […]} and no known printer\'s output',
  );
}

function readLines(text: string): ReadInventory {
  const lines = text.split(/\r?\n/);
  for (const [format, sign, read] of printers) {
    if (lines.some((line) => sign.test(line))) {
      return { format, routes: read(lines), prefixes: [], notes: [] };
    }
  }
  const { routes, wrong } = lineRoutes(lines);
  if (routes.length === 0) {
    throw invalid(
      `line ${wrong[0] ?? 1} is no route: write METHOD /route, for example GET /users/{id}, or send an OpenAPI document`,
    );
  }
  const notes: string[] = [];
  for (const line of wrong) {
    note(notes, `line ${line} is no route and was left out: ${quoted(lines[line - 1]!)}`);
  }
  return { format: 'routes', routes, prefixes: [], notes };
}

/** A line that only this printer writes, and its reader. */
const printers: [InventoryFormat, RegExp, (lines: readonly string[]) => DeclaredRoute[]][] = [
  ['rails', /^\s*Prefix\s+Verb\s+URI Pattern|^--\[ Route \d+ \]/, railsRoutes],
  ['flask', /^Endpoint\s+.*Methods\s+.*Rule\b/, flaskRoutes],
  ['nest', /Mapped \{\S*, [A-Z]+\}/, nestRoutes],
  ['fastify', /^[\s│]*[└├]──\s/, fastifyRoutes],
  ['django', /^\/\S*\t\S+\./, djangoUrls],
];

/** The same method and route once; the bound on a text's length keeps one name from filling the store. */
function distinct(routes: readonly DeclaredRoute[], notes: string[]): DeclaredRoute[] {
  const byKey = new Map<string, DeclaredRoute>();
  for (const route of routes) {
    if (Buffer.byteLength(route.route) > limits.routeBytes) {
      note(
        notes,
        `a route longer than ${limits.routeBytes} bytes was left out: ${quoted(route.route)}`,
      );
      continue;
    }
    const key = `${route.method} ${route.route}`;
    if (!byKey.has(key)) byKey.set(key, route);
  }
  return [...byKey.values()];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`the body begins as JSON and is none: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** Anchors are shared, not copied, and only `paths` is walked: an alias bomb stays as small as its text. */
function parseYaml(text: string): unknown {
  try {
    return load(text, { schema: JSON_SCHEMA });
  } catch (error) {
    throw invalid(`the body is no YAML: ${(error as Error).message.slice(0, 200)}`);
  }
}

function invalid(message: string): AppError {
  return new AppError('invalid', message, { field: 'body' });
}
