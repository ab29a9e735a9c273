import { afterAll, beforeAll, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { runToEnd, startRollcall, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';
import { exchange } from './exchange.ts';
import { grpcExport } from './grpc.ts';
import {
  callsOf,
  makeKey,
  openPlace,
  operate,
  type Place,
  settle,
  type Tenant,
} from './tenants.ts';

/** "A revoked key is refused within a second in every process", whoever revokes it. */
const refusedWithinMs = 1000;

let place: Place;
let tenant: Tenant;
beforeAll(async () => {
  place = await openPlace();
  tenant = await settle(place, 'shop');
});
afterAll(() => place.close());

/** Not where the operator is: a key that is used on and on is a wrong one in the end. */
const localAddress = '127.8.8.8';

/** Everything that a key is asked for, by its scope. */
const uses = {
  'HTTP export': async (key: string) => {
    const headers = { 'x-api-key': key, 'content-type': 'application/x-protobuf' };
    const sent = { method: 'POST', headers, body: callsOf('shop'), localAddress };
    return (await exchange(`${place.otlpHttp}/v1/traces`, sent)).status === 200;
  },
  'gRPC export': async (key: string) => {
    return (
      (await grpcExport(place.otlpGrpc, callsOf('shop'), { 'x-api-key': key }, localAddress))
        .code === 0
    );
  },
  report: async (key: string) => {
    const headers = { 'x-api-key': key };
    return (
      (await exchange(`${place.analyzer}/api/v1/report`, { headers, localAddress })).status === 200
    );
  },
};

it.each([
  ['HTTP export', 'ingest', 'revoked by the analyzer'],
  ['HTTP export', 'ingest', 'rotated by the analyzer'],
  ['HTTP export', 'ingest', 'revoked by the command line'],
  ['gRPC export', 'ingest', 'revoked by the analyzer'],
  ['gRPC export', 'ingest', 'rotated by the command line'],
  ['report', 'read', 'revoked by the analyzer'],
  ['report', 'read', 'revoked by the command line'],
  ['report', 'read', 'rotated by the command line'],
] as const)('%s with a key of scope %s %s', async (name, scope, how) => {
  const use = uses[name];
  const { id, key } = await makeKey(place, tenant.project, scope);
  // A key works as soon as it is made.
  expect(await use(key)).toBe(true);
  let goodMs = 0;
  let isDone = false;
  const using = (async () => {
    for (;;) {
      const startMs = performance.now();
      if (await use(key)) goodMs = startMs;
      else if (isDone) return;
      // Refused as soon as it was committed, before whoever asked for it was told.
      else await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await end(how, id);
  const doneMs = performance.now();
  isDone = true;
  await using;
  expect(goodMs - doneMs).toBeLessThan(refusedWithinMs);
  expect(await use(key)).toBe(false);
});

async function end(how: string, id: string): Promise<void> {
  const action = how.startsWith('rotated') ? 'rotate' : 'revoke';
  if (how.endsWith('command line')) {
    const ended = await runToEnd('cli/rollcall.mjs', { ROLLCALL_STORE: place.store }, [
      'keys',
      action,
      id,
    ]);
    expect(ended.code, ended.output).toBe(0);
  } else if (action === 'rotate') {
    await operate(place, 'POST', `/keys/${id}/rotate`);
  } else {
    await operate(place, 'DELETE', `/keys/${id}`);
  }
}

it('the last use of a key is seen by whoever lists it, soon after', async () => {
  const { id, key } = await makeKey(place, tenant.project, 'ingest');
  const startS = Math.floor(Date.now() / 1000);
  expect(await uses['HTTP export'](key)).toBe(true);
  const lastUsedAt = await waitFor('the last use of the key', async () => {
    const { keys } = JSON.parse(await operate(place, 'GET', '/keys?project=shop'));
    return keys.find((row: { id: string }) => row.id === id).last_used_at as string | null;
  });
  expect(Date.parse(lastUsedAt) / 1000).toBeGreaterThanOrEqual(startS);
});

it('wrong keys of one address are refused with 429 in the end, good ones of it never', async () => {
  const from = '127.9.9.9';
  const report = (key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    return exchange(`${place.analyzer}/api/v1/report`, { headers, localAddress: from });
  };
  const statuses: number[] = [];
  for (let i = 0; i < limits.failedKeys + 1; i++) statuses.push((await report(`rck_${i}`)).status);
  expect(statuses.slice(0, -1).every((status) => status === 401)).toBe(true);
  expect(statuses.at(-1)).toBe(429);
  const refused = await report('rck_wrong');
  expect(refused.said.toString()).toMatch(/Retry-After\n([1-9]|[1-5]\d|60)\n/);
  expect(JSON.parse(refused.body)).toMatchObject({
    error: { code: 'throttled', message: expect.stringContaining(from) },
  });
  expect((await report(tenant.keys.read.key)).status).toBe(200);
});

it('services start without a key, say how to make one, and take it', async () => {
  const folder = temporaryFolder();
  const store = `${folder.path}/rollcall.db`;
  // An address that others reach: keys are asked for without being asked for.
  const running = await startRollcall(store, {
    ROLLCALL_HOST: '0.0.0.0',
    ROLLCALL_OTLP_GRPC_PORT: '0',
  });
  try {
    const url = running.addresses.analyzer!.replace('0.0.0.0', '127.0.0.1');
    const status = async (headers: Record<string, string>) =>
      (await exchange(`${url}/api/v1/services`, { headers })).status;
    expect(await status({})).toBe(401);
    const hint = 'rollcall keys create --project NAME --scope ingest makes one';
    while (!running.output().includes(hint))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const args = ['keys', 'create', '--project', 'first', '--scope', 'read'];
    const made = await runToEnd('cli/rollcall.mjs', { ROLLCALL_STORE: `sqlite:${store}` }, args);
    const [key] = /rck_[\w-]{43}/.exec(made.output)!;
    expect(await status({ authorization: `Bearer ${key}` })).toBe(200);
    expect(running.output()).not.toContain(key);
  } finally {
    await running.stop();
    folder.remove();
  }
});
