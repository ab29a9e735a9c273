import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Answer, exchange } from './exchange.ts';
import { grpcExport } from './grpc.ts';
import { allHolders, type Holder, nobody, waysOf } from './holders.ts';
import {
  callsOf,
  callsPerRequest,
  jsonCallsOf,
  makeKey,
  openPlace,
  operate,
  type Place,
  settle,
  type Tenant,
} from './tenants.ts';

// Some five thousand requests, each on a connection of its own, also on a machine that does other things.
vi.setConfig({ testTimeout: 300_000 });

import { waitFor } from '../support/wait.ts';

/**
 * Who may do what, every combination of it: holders of keys × ways to send one × every route of both services.
 * The analyzer's routes come from its OpenAPI document, so that none can be forgotten.
 */
let place: Place;
let tenants: [Tenant, Tenant];
let operations: Operation[];
let holders: Holder[];

interface Operation {
  method: string;
  /** As in the document: `/endpoints/{id}`. */
  path: string;
  query: string[];
  /** Texts of `format=`. */
  formats: string[];
}

beforeAll(async () => {
  place = await openPlace();
  tenants = [await settle(place, 'aardvark'), await settle(place, 'zebra')];
  holders = allHolders(place.adminKey, tenants);
  const answer = await exchange(`${place.analyzer}/api/v1/openapi.json`);
  const { paths } = JSON.parse(answer.body) as {
    paths: Record<string, Record<string, Told>>;
  };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      formats: parameters.find(({ name }) => name === 'format')?.schema?.enum ?? [],
    })),
  );
  // Something of each project is stored before anybody asks.
  for (const { project, keys } of tenants) {
    const headers = { 'x-api-key': keys.ingest.key, ...protobufType };
    const sent = { method: 'POST', headers, body: callsOf(project) };
    expect((await exchange(`${place.otlpHttp}/v1/traces`, sent)).status).toBe(200);
    calls.set(project, callsPerRequest);
  }
});
afterAll(() => place.close());

interface Told {
  parameters: { in: string; name: string; schema?: { enum?: string[] } }[];
}

const protobufType = { 'content-type': 'application/x-protobuf' };
const jsonType = { 'content-type': 'application/json' };

let combinations = 0;
let leaks = 0;
/** Calls that each project was told of, by project. */
const calls = new Map<string, number>();

it('every transport takes calls for the project of an ingest key, and for nobody else', async () => {
  for (const holder of holders) {
    for (const headers of waysOf(holder)) {
      await sendEveryWay(holder, headers);
    }
  }
});

it('every question is answered from the project of the key', async () => {
  const questions = operations.filter(isQuestion);
  expect(questions.length).toBeGreaterThanOrEqual(8);
  const endpoints = await Promise.all(tenants.map(endpointIds));
  expect(endpoints.map((ids) => ids.length)).toEqual([2, 2]);
  // Collectors write internal callers later than calls.
  for (const { project, keys } of tenants) {
    await waitFor(`the callers of ${project}`, async () => {
      const url = `${place.analyzer}/api/v1/consumers/internal`;
      const answer = await exchange(url, { headers: { 'x-api-key': keys.read.key } });
      return answer.body.includes(`${project}-caller`);
    });
  }
  await ofEveryHolder(async (holder) => {
    for (const headers of waysOf(holder)) {
      for (const { path, formats } of questions) {
        for (const [target, owner] of targetsOf(path, endpoints)) {
          // The history of an id that nobody has is empty, and so is that of another project's.
          const isHistory = path === '/endpoints/{id}/verdicts';
          const expected = readingStatus(holder, isHistory ? undefined : owner);
          for (const search of searches(formats)) {
            const answer = await ask(holder, headers, 'GET', `${target}${search}`, expected);
            // Not to be told of others means nothing where nobody is told of anything.
            if (answer.status === 200 && !wordless.includes(path)) {
              const told = holder.tenant!.words.filter((word) => answer.body.includes(word));
              expect(told.length, `${target}${search}`).toBeGreaterThan(0);
            }
          }
          await ask(holder, headers, 'HEAD', target, expected);
        }
      }
    }
  });
});

it("a filter with another project's words answers as one with words that nobody has", async () => {
  const filtered = operations.filter((one) => isQuestion(one) && one.query.includes('service'));
  expect(filtered.length).toBeGreaterThanOrEqual(5);
  for (const [i, { keys }] of tenants.entries()) {
    const other = tenants[1 - i]!;
    const headers = { 'x-api-key': keys.read.key };
    for (const { path } of filtered) {
      const answers: string[] = [];
      for (const word of [`${other.project}-service`, 'nobody']) {
        const url = `${place.analyzer}/api/v1${path}?service=${word}`;
        const answer = await exchange(url, { headers });
        expect(answer.status, path).toBe(200);
        answers.push(
          answer.body
            .replaceAll(word, '?')
            .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
            // It names the question.
            .replaceAll(/"follow_cursor":"[^"]+"/g, ''),
        );
        combinations += 1;
      }
      expect(answers[0], path).toBe(answers[1]);
    }
  }
});

it('projects and keys are administered by whoever may, and nobody else', async () => {
  const others = operations.filter((one) => !isQuestion(one));
  // Whoever adds a route that is no question has to say here who may use it.
  const known = Object.keys(administration);
  expect(others.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(known.sort());
  for (const holder of holders) {
    for (const headers of waysOf(holder)) {
      for (const route of known) await administration[route]!(holder, headers);
    }
  }
  for (const { project, victim } of tenants) {
    const listed = JSON.parse(await operate(place, 'GET', `/keys?project=${project}`));
    const found = listed.keys.find(({ id }: { id: string }) => id === victim.id);
    // Whatever others tried, it is as it was made.
    expect(found).toMatchObject({ prefix: victim.prefix, rotated_at: null, revoked_at: null });
  }
});

it('what is open is open to everybody, and tells of nobody', async () => {
  const open = [
    ...['/', '/healthz', '/readyz', '/metrics', '/api/v1/openapi.json'].map(
      (path) => place.analyzer + path,
    ),
    ...['/healthz', '/readyz', '/metrics'].map((path) => place.otlpHttp + path),
  ];
  const closed = [`${place.analyzer}/api/v1/nothing`, `${place.otlpHttp}/nothing`];
  await ofEveryHolder(async (holder) => {
    for (const headers of waysOf(holder)) {
      for (const url of open) await check(nobody, exchange(url, from({ headers })), 200, url);
      for (const url of closed) await check(nobody, exchange(url, from({ headers })), 404, url);
      for (const { path } of operations) {
        const url = `${place.analyzer}/api/v1${path.replace(/\{\w+\}/, '1')}`;
        const answer = exchange(url, from({ method: 'PATCH', headers }));
        await check(nobody, answer, 405, `PATCH ${url}`);
      }
    }
  });
});

it('the same bytes are a delivery of each project that sends them', async () => {
  // Trace ids are all that tells requests apart, and here they do not.
  const body = callsOf('shared');
  for (const { project, keys } of tenants) {
    for (let times = 0; times < 2; times += 1) {
      const headers = { 'x-api-key': keys.ingest.key, ...protobufType };
      const answer = await exchange(`${place.otlpHttp}/v1/traces`, {
        method: 'POST',
        headers,
        body,
      });
      expect(answer.status).toBe(200);
    }
    calls.set(project, calls.get(project)! + callsPerRequest);
  }
});

it('every call was counted in its own project, once', async () => {
  for (const { project, keys } of tenants) {
    const answer = await exchange(`${place.analyzer}/api/v1/report`, {
      headers: { 'x-api-key': keys.read.key },
    });
    const { summary } = JSON.parse(answer.body) as { summary: { total_requests: number } };
    expect(summary.total_requests, project).toBe(calls.get(project));
  }
  console.log(`tenancy matrix: ${combinations} combinations, ${leaks} leaks`);
  expect(leaks).toBe(0);
});

/** Several holders at once: for requests that change nothing. */
async function ofEveryHolder(work: (holder: Holder) => Promise<void>): Promise<void> {
  const left = [...holders];
  const worker = async (): Promise<void> => {
    for (let holder = left.shift(); holder !== undefined; holder = left.shift()) await work(holder);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

/** Sends calls by every transport, and what is not stored too. */
async function sendEveryWay(holder: Holder, headers: Record<string, string>): Promise<void> {
  const mine = holder.may === 'ingest';
  const expected = mine ? 200 : holder.may === 'nothing' ? 401 : 403;
  const project = holder.tenant?.project ?? 'stranger';
  const bodies: [string, string | Buffer, Record<string, string>][] = [
    ['/v1/traces', callsOf(project), protobufType],
    ['/v1/traces', jsonCallsOf(project), jsonType],
    ['/', callsOf(project), protobufType],
    ['/v1/metrics', Buffer.alloc(0), protobufType],
    ['/v1/logs', '{}', jsonType],
  ];
  for (const [path, body, type] of bodies) {
    const sent = { method: 'POST', headers: { ...headers, ...type }, body };
    const answer = await check(
      holder,
      exchange(`${place.otlpHttp}${path}`, from(sent)),
      expected,
      path,
    );
    if (expected !== 200) {
      // google.rpc.Status in the request's own encoding (R4): its code is the first field.
      const code = expected === 401 ? 16 : 7;
      if (type === jsonType) expect(JSON.parse(answer.body).code).toBe(code);
      else expect([...Buffer.from(answer.body).subarray(0, 2)]).toEqual([8, code]);
    }
  }
  const grpc = await grpcExport(place.otlpGrpc, callsOf(project), headers, nextAddress());
  expect(grpc.code, `${holder.name}: gRPC`).toBe({ 200: 0, 401: 16, 403: 7 }[expected]);
  lookForLeaks(holder, grpc.said, 'gRPC');
  if (mine) calls.set(project, calls.get(project)! + 4 * callsPerRequest);
}

const isQuestion = ({ method, path }: Operation): boolean =>
  method === 'GET' && !/^\/(keys|projects)|\/inventory$/.test(path);

/** Questions whose answers hold no word of the calls: nothing here is dead, and a series is of numbers. */
const wordless = [
  '/report/dead',
  '/report/removed',
  '/report/deprecated',
  '/timeseries',
  '/latency',
  '/decisions',
  '/endpoints/{id}/decision',
  '/endpoints/{id}/verdicts',
  '/report/dead/history',
];

async function endpointIds({ keys }: Tenant): Promise<string[]> {
  const headers = { 'x-api-key': keys.read.key };
  const answer = await exchange(`${place.analyzer}/api/v1/report?fields=id`, { headers });
  const { endpoints } = JSON.parse(answer.body) as { endpoints: { id: string | number }[] };
  return endpoints.map(({ id }) => String(id));
}

/** The same, asked for once: nothing here takes an endpoint away. */
function knownIds(tenant: Tenant): Promise<string[]> {
  let ids = idsOf.get(tenant);
  if (ids === undefined) {
    ids = endpointIds(tenant);
    idsOf.set(tenant, ids);
  }
  return ids;
}

const idsOf = new Map<Tenant, Promise<string[]>>();

/** A path with each id in it that there is, and whose it is; without one it is whose key it is. */
function targetsOf(path: string, endpoints: string[][]): [string, Tenant | undefined][] {
  if (!path.includes('{')) return [[path, undefined]];
  if (path.startsWith('/services/{service}/')) {
    return tenants.map((one) => [path.replace('{service}', `${one.project}-service`), one]);
  }
  expect(path).toContain('/endpoints/{id}');
  return endpoints.flatMap((ids, i) =>
    ids.map((id): [string, Tenant] => [path.replace('{id}', id), tenants[i]!]),
  );
}

/** Without a format, and in each text form. */
function searches(formats: readonly string[]): string[] {
  const texts = formats.filter((format) => ['csv', 'md', 'yaml'].includes(format));
  return ['', ...texts.map((format) => `?format=${format}`)];
}

function readingStatus({ may, tenant }: Holder, owner: Tenant | undefined): number {
  if (may === 'nothing') return 401;
  if (may !== 'read' && may !== 'admin') return 403;
  return owner === undefined || owner === tenant ? 200 : 404;
}

type Attempt = (holder: Holder, headers: Record<string, string>) => Promise<void>;

const refusedStatus = ({ may }: Holder): number => (may === 'nothing' ? 401 : 403);
let serial = 0;

/** What each route that is no question is expected to answer, and to do. */
const administration: Record<string, Attempt> = {
  async 'POST /projects'(holder, headers) {
    const expected = holder.may === 'operate' ? 201 : refusedStatus(holder);
    serial += 1;
    await ask(holder, headers, 'POST', '/projects', expected, { name: `new-${serial}` });
  },
  async 'GET /projects'(holder, headers) {
    const expected = holder.may === 'operate' ? 200 : refusedStatus(holder);
    for (const search of ['', '?format=csv']) {
      await ask(holder, headers, 'GET', `/projects${search}`, expected);
    }
  },
  async 'PUT /services/{service}/inventory'(holder, headers) {
    const mayDeclare = holder.may === 'ingest' || holder.may === 'admin';
    const expected = mayDeclare ? 200 : refusedStatus(holder);
    const project = holder.tenant?.project ?? 'stranger';
    const body = { routes: [{ method: 'GET', route: `/declared-by-${project}` }] };
    const answer = await ask(holder, headers, 'PUT', inventory, expected, body);
    if (mayDeclare) expect(answer.body).toContain(`/declared-by-${project}`);
  },
  async 'POST /services/{service}/check'(holder, headers) {
    const expected = readingStatus(holder, undefined);
    const body = { routes: [{ method: 'GET', route: '/asked' }] };
    const answer = await ask(holder, headers, 'POST', '/services/declared/check', expected, body);
    if (expected === 200) expect(answer.body).toContain('/asked');
  },
  'PUT /endpoints/{id}/decision': (holder, headers) =>
    decideOnEach(holder, headers, 'PUT', 200, { decision: 'keep', reason: 'none' }),
  'DELETE /endpoints/{id}/decision': (holder, headers) =>
    decideOnEach(holder, headers, 'DELETE', 204),
  async 'PUT /decisions'(holder, headers) {
    const expected = holder.may === 'admin' ? 200 : refusedStatus(holder);
    const entry = { service: 'nobody', method: 'GET', route: '/', decision: 'keep' };
    await ask(holder, headers, 'PUT', '/decisions', expected, { decisions: [entry] });
  },
  // Ids and names that no project has: what is forgotten cannot be asked for again here.
  async 'DELETE /endpoints/{id}'(holder, headers) {
    const expected = holder.may === 'admin' ? 404 : refusedStatus(holder);
    await ask(holder, headers, 'DELETE', '/endpoints/999999', expected);
    for (const tenant of tenants) {
      if (holder.may === 'admin' && holder.tenant === tenant) continue;
      const ids = await knownIds(tenant);
      await ask(holder, headers, 'DELETE', `/endpoints/${ids[0]}`, expected);
      expect(await endpointIds(tenant)).toEqual(expect.arrayContaining(ids));
    }
  },
  async 'DELETE /services/{service}'(holder, headers) {
    const expected = holder.may === 'admin' ? 404 : refusedStatus(holder);
    // A decision on the service `nobody` is imported above, and would be forgotten with it.
    await ask(holder, headers, 'DELETE', '/services/never-told', expected);
  },
  async 'GET /services/{service}/inventory'(holder, headers) {
    await declareEverywhere();
    const expected = readingStatus(holder, undefined);
    const answer = await ask(holder, headers, 'GET', inventory, expected);
    if (expected === 200) expect(answer.body).toContain(`/declared-by-${holder.tenant!.project}`);
  },
  async 'DELETE /services/{service}/inventory'(holder, headers) {
    await declareEverywhere();
    const mayDeclare = holder.may === 'ingest' || holder.may === 'admin';
    const expected = mayDeclare ? 204 : refusedStatus(holder);
    await ask(holder, headers, 'DELETE', inventory, expected);
    // One project's removal leaves the others'.
    for (const { project, keys } of tenants) {
      const removed = mayDeclare && holder.tenant?.project === project;
      const url = `${place.analyzer}/api/v1${inventory}`;
      const answer = await exchange(url, { headers: { 'x-api-key': keys.read.key } });
      expect(answer.status, `${holder.name}: ${project}`).toBe(removed ? 404 : 200);
    }
  },
  async 'PUT /consumers/{name}'(holder, headers) {
    const expected = holder.may === 'admin' ? 200 : refusedStatus(holder);
    const project = holder.tenant?.project ?? 'stranger';
    const body = { group: `told-by-${project}` };
    const answer = await ask(holder, headers, 'PUT', '/consumers/told', expected, body);
    if (expected === 200) expect(answer.body).toContain(`told-by-${project}`);
  },
  async 'PUT /consumers'(holder, headers) {
    const expected = holder.may === 'admin' ? 200 : refusedStatus(holder);
    const body = { consumers: { [`new-${holder.tenant?.project}`]: { group: 'a' } } };
    await ask(holder, headers, 'PUT', '/consumers', expected, body);
  },
  async 'DELETE /consumers/{name}'(holder, headers) {
    // Every project told of this consumer; one project's removal leaves the others'.
    for (const { keys } of tenants) {
      const answer = await exchange(`${place.analyzer}/api/v1/consumers/told`, {
        method: 'PUT',
        headers: { 'x-api-key': keys.admin.key, ...jsonType },
        body: '{}',
      });
      expect(answer.status).toBe(200);
    }
    const expected = holder.may === 'admin' ? 204 : refusedStatus(holder);
    await ask(holder, headers, 'DELETE', '/consumers/told', expected);
    for (const { project, keys } of tenants) {
      const removed = holder.may === 'admin' && holder.tenant?.project === project;
      const answer = await exchange(`${place.analyzer}/api/v1/consumers/told`, {
        method: 'DELETE',
        headers: { 'x-api-key': keys.admin.key },
      });
      expect(answer.status, `${holder.name}: ${project}`).toBe(removed ? 404 : 204);
    }
  },
  async 'POST /events'(holder, headers) {
    const mayTell = holder.may === 'ingest' || holder.may === 'admin';
    const expected = mayTell ? 201 : refusedStatus(holder);
    const project = holder.tenant?.project ?? 'stranger';
    const body = { kind: 'flag', title: `told-by-${project}` };
    const answer = await ask(holder, headers, 'POST', '/events', expected, body);
    if (mayTell) expect(answer.body).toContain(`told-by-${project}`);
  },
  async 'DELETE /events/{id}'(holder, headers) {
    // An event of each project; who may delete one deletes that of the own project alone.
    for (const { project, keys } of tenants) {
      const events = `${place.analyzer}/api/v1/events`;
      const sent = { 'x-api-key': keys.admin.key, ...jsonType };
      const body = JSON.stringify({ kind: 'flag', title: 'told' });
      const told = await exchange(events, { method: 'POST', headers: sent, body });
      expect(told.status).toBe(201);
      const { id } = JSON.parse(told.body) as { id: string };
      const mayDelete = holder.may === 'ingest' || holder.may === 'admin';
      const mine = holder.tenant?.project === project;
      const expected = mayDelete ? (mine ? 204 : 404) : refusedStatus(holder);
      await ask(holder, headers, 'DELETE', `/events/${id}`, expected);
      const again = await exchange(`${events}/${id}`, { method: 'DELETE', headers: sent });
      expect(again.status, `${holder.name}: ${project}`).toBe(expected === 204 ? 404 : 204);
    }
  },
  async 'POST /keys'(holder, headers) {
    for (const { project } of tenants) {
      const mine = holder.may === 'admin' && holder.tenant?.project === project;
      const expected = mine || holder.may === 'operate' ? 201 : refusedStatus(holder);
      const body = { project, scope: 'read' };
      // Whoever names a project is told its name.
      const answer = await ask(holder, headers, 'POST', '/keys', expected, body, project);
      if (expected === 201) {
        const made = JSON.parse(answer.body) as { id: string; project: string };
        expect(made.project).toBe(project);
        await operate(place, 'DELETE', `/keys/${made.id}`);
      }
    }
  },
  async 'GET /keys'(holder, headers) {
    const may = holder.may === 'admin' || holder.may === 'operate';
    const expected = may ? 200 : refusedStatus(holder);
    const answer = await ask(holder, headers, 'GET', '/keys', expected);
    if (holder.may === 'admin') expect(answer.body).toContain(holder.tenant!.victim.id);
    for (const { project } of tenants) {
      const refused = holder.may === 'admin' && project !== holder.tenant?.project;
      const search = `?project=${project}`;
      await ask(
        holder,
        headers,
        'GET',
        `/keys${search}`,
        refused ? 403 : expected,
        undefined,
        project,
      );
    }
  },
  'DELETE /keys/{id}': (holder, headers) => tryOnKeys(holder, headers, 'DELETE', '', 204),
  'POST /keys/{id}/rotate': (holder, headers) => tryOnKeys(holder, headers, 'POST', '/rotate', 200),
};

/** On an endpoint of each project, on which its administrator has decided before. */
async function decideOnEach(
  holder: Holder,
  headers: Record<string, string>,
  method: string,
  success: number,
  body?: object,
): Promise<void> {
  for (const tenant of tenants) {
    const [id] = await knownIds(tenant);
    const path = `/endpoints/${id}/decision`;
    const first = { method: 'PUT', headers: { 'x-api-key': tenant.keys.admin.key, ...jsonType } };
    const decided = JSON.stringify({ decision: 'remove', reason: 'first' });
    await exchange(`${place.analyzer}/api/v1${path}`, { ...first, body: decided });
    const mine = holder.may === 'admin' && holder.tenant === tenant;
    const expected = mine ? success : holder.may === 'admin' ? 404 : refusedStatus(holder);
    await ask(holder, headers, method, path, expected, body);
    const read = { headers: { 'x-api-key': tenant.keys.read.key } };
    const left = JSON.parse((await exchange(`${place.analyzer}/api/v1${path}`, read)).body);
    expect(left.decision?.reason ?? null).toBe(mine ? (body ? 'none' : null) : 'first');
  }
}

const inventory = '/services/declared/inventory';

async function declareEverywhere(): Promise<void> {
  for (const { project, keys } of tenants) {
    const headers = { 'x-api-key': keys.ingest.key, ...jsonType };
    const body = JSON.stringify({ routes: [`GET /declared-by-${project}`] });
    const answer = await exchange(`${place.analyzer}/api/v1${inventory}`, {
      method: 'PUT',
      headers,
      body,
    });
    expect(answer.status).toBe(200);
  }
}

/** On a key of each project: on its victim where it is to be refused, on one made for it where not. */
async function tryOnKeys(
  holder: Holder,
  headers: Record<string, string>,
  method: string,
  end: string,
  success: number,
): Promise<void> {
  for (const tenant of tenants) {
    const mine = holder.may === 'admin' && holder.tenant === tenant;
    if (mine || holder.may === 'operate') {
      const { id } = await makeKey(place, tenant.project, 'read');
      await ask(holder, headers, method, `/keys/${id}${end}`, success);
      await operate(place, 'DELETE', `/keys/${id}`);
    } else {
      const expected = holder.may === 'admin' ? 404 : refusedStatus(holder);
      const { id } = tenant.victim;
      await ask(holder, headers, method, `/keys/${id}${end}`, expected, undefined, id);
    }
  }
}

/** @param named a word that the request holds, so that the answer may */
function ask(
  holder: Holder,
  headers: Record<string, string>,
  method: string,
  path: string,
  expected: number,
  body?: object,
  named?: string,
): Promise<Answer> {
  const sent = body
    ? { body: JSON.stringify(body), headers: { ...headers, ...jsonType } }
    : { headers };
  const answer = exchange(`${place.analyzer}/api/v1${path}`, from({ method, ...sent }));
  return check(holder, answer, expected, `${method} ${path}`, named);
}

async function check(
  holder: Holder,
  asked: Promise<Answer>,
  expected: number,
  what: string,
  named?: string,
): Promise<Answer> {
  const answer = await asked;
  expect(answer.status, `${holder.name}: ${what}: ${answer.body.slice(0, 300)}`).toBe(expected);
  lookForLeaks(holder, answer.said, what, named);
  return answer;
}

/** Counts a combination, and whatever of another project is in its answer. */
function lookForLeaks(holder: Holder, said: Buffer, what: string, named?: string): void {
  combinations += 1;
  // The operator is told of projects and keys, and of nothing else.
  const isTold = holder.may === 'operate' && /\/(projects|keys)/.test(what);
  for (const tenant of tenants) {
    if (tenant === holder.tenant) continue;
    const [project, ...words] = tenant.words;
    const secrets = isTold ? words.slice(0, 3) : [project!, ...words];
    const found = secrets.filter((word) => word !== named && said.includes(word));
    if (found.length === 0) continue;
    leaks += 1;
    expect.soft(found, `${holder.name}: ${what}`).toEqual([]);
  }
}

/** Another peer for every request: wrong keys of one address are refused otherwise in the end. */
const from = <T extends object>(asked: T) => ({ ...asked, localAddress: nextAddress() });

let peers = 0;
function nextAddress(): string {
  peers += 1;
  return `127.1.${(peers >> 8) & 255}.${peers & 255}`;
}
