import { randomBytes } from 'node:crypto';
import { encodeTraces, type Span } from '../../collector/otlp/traces-encoder.ts';
import { type Scope, scopes } from '../../core/key.ts';
import { callTo, jsonSpan, serverSpan } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { exchange } from './exchange.ts';

/** A project with a key of each scope, two of each that were revoked, and words that are in no other. */
export interface Tenant {
  project: string;
  /** What an answer to somebody else must not hold. */
  words: string[];
  keys: Record<Scope, Key>;
  revoked: Record<Scope, Key>;
  /** A key for others to try their hands at. */
  victim: Key;
}

export interface Key {
  id: string;
  key: string;
  prefix: string;
}

export interface Place {
  /** As ROLLCALL_STORE says it. */
  store: string;
  otlpHttp: string;
  otlpGrpc: string;
  analyzer: string;
  adminKey: string;
  close(): Promise<void>;
}

/** Both services, asking for keys. */
export async function openPlace(): Promise<Place> {
  const folder = temporaryFolder();
  const adminKey = `operator-${randomBytes(24).toString('hex')}`;
  const running: Running = await startRollcall(`${folder.path}/rollcall.db`, {
    ROLLCALL_AUTH: 'keys',
    ROLLCALL_ADMIN_KEY: adminKey,
    ROLLCALL_OTLP_GRPC_PORT: '0',
  });
  const { otlp_http, otlp_grpc, analyzer } = running.addresses;
  return {
    store: `sqlite:${folder.path}/rollcall.db`,
    otlpHttp: otlp_http!,
    otlpGrpc: otlp_grpc!,
    analyzer: analyzer!,
    adminKey,
    async close() {
      await running.stop();
      folder.remove();
    },
  };
}

/** Creates the project and its keys over the API. */
export async function settle(place: Place, project: string): Promise<Tenant> {
  await operate(place, 'POST', '/projects', { name: project });
  const make = (scope: Scope) => makeKey(place, project, scope);
  const ofEach = async (): Promise<Record<Scope, Key>> => {
    const [ingest, read, admin] = await Promise.all(scopes.map(make));
    return { ingest: ingest!, read: read!, admin: admin! };
  };
  const [keys, revoked, victim] = [await ofEach(), await ofEach(), await make('read')];
  for (const { id } of Object.values(revoked)) await operate(place, 'DELETE', `/keys/${id}`);
  const ofKeys = [...Object.values(keys), ...Object.values(revoked), victim];
  const words = [project, `${project}-service`, `${project}-route`, clientOf(project)];
  for (const { id, key, prefix } of ofKeys) words.push(id, key, prefix);
  return { project, words, keys, revoked, victim };
}

export async function makeKey(place: Place, project: string, scope: Scope): Promise<Key> {
  return JSON.parse(await operate(place, 'POST', '/keys', { project, scope })) as Key;
}

/** What the operator does. @throws Error when it is refused */
export async function operate(
  { analyzer, adminKey }: Place,
  method: string,
  path: string,
  body?: object,
): Promise<string> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const text = body && JSON.stringify(body);
  const answer = await exchange(`${analyzer}/api/v1${path}`, {
    method,
    headers,
    ...(text && { body: text }),
  });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
  return answer.body;
}

/** Calls in each request of `callsOf` and `jsonCallsOf`. */
export const callsPerRequest = 2;

/**
 * An export request with two calls. Every word of the first is the project's own; the second is of a service
 * and a route that each project has, told apart by client and consumer alone: what remembers words must
 * not mix them up.
 */
export function callsOf(project: string): Buffer {
  return encodeTraces(
    servicesOf(project).map(({ service, environment, route }) => ({
      attributes: [
        { key: 'service.name', value: service },
        { key: 'service.version', value: `${project}-version` },
        { key: 'deployment.environment.name', value: environment },
      ],
      scopes: [{ name: 'test', spans: [spanOf(project, route)] }],
    })),
  );
}

/** The same in OTLP/JSON. */
export function jsonCallsOf(project: string): string {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const resourceSpans = servicesOf(project).map(({ service, environment, route }) => {
    const span = jsonSpan(spanOf(project, route));
    const attributes = [
      text('service.name', service),
      text('deployment.environment.name', environment),
    ];
    return { resource: { attributes }, scopeSpans: [{ scope: { name: 'test' }, spans: [span] }] };
  });
  return JSON.stringify({ resourceSpans });
}

const servicesOf = (project: string) => [
  {
    service: `${project}-service`,
    environment: `${project}-environment`,
    route: `/${project}-route/{id}`,
  },
  { service: 'shared-service', environment: 'production', route: '/shared-route/{id}' },
];

function spanOf(project: string, route: string): Span {
  return serverSpan({
    name: `GET ${route}`,
    attributes: [
      ...callTo(route),
      { key: 'client.address', value: clientOf(project) },
      { key: 'enduser.id', value: `${project}-consumer` },
      { key: 'user_agent.original', value: `${project}-agent/1.0` },
      { key: 'peer.service', value: `${project}-caller` },
    ],
  });
}

const clientOf = (project: string): string => {
  // None of the demo's, whose answers are examples in the OpenAPI document.
  return `198.51.100.${80 + (project.charCodeAt(0) % 100)}`;
};
