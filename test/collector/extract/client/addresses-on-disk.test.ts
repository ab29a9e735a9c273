import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { fileURLToPath } from 'node:url';
import ipaddr from 'ipaddr.js';
import { afterAll, describe, expect, test } from 'vitest';
import type { AnyValue } from '../../../../collector/otlp/traces-encoder.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { exchange } from '../../../conformance/exchange.ts';
import { encodeSpans, serverSpan } from '../../../support/export-request.ts';
import {
  type Running,
  startAnalyzerProcess,
  startRollcall,
  temporaryFolder,
} from '../../../support/process.ts';
import { waitFor } from '../../../support/wait.ts';

/** ROLLCALL_CLIENT_PRIVACY: with it, no full address is on disk anywhere. */
const folder = temporaryFolder();
afterAll(() => folder.remove());

const dayMs = 86_400_000;

/** The machine's clock, also where `npm run test:clock` shifts Date.now. */
const realMs = () => Math.floor(performance.timeOrigin + performance.now());

/** A folder of its own for one store. */
function place(name: string): string {
  mkdirSync(`${folder.path}/${name}`);
  return `${folder.path}/${name}`;
}

/** Full addresses of clients, each in every place a span may have it. */
const addresses = ['203.0.113.77', '198.51.100.201', '2001:db8:85a3:1234:5678:8a2e:370:7334'];

/** @param atMs of the calls */
function traffic(atMs = Date.now()): Buffer {
  const places: ((address: string) => Record<string, AnyValue>)[] = [
    (address) => ({ 'client.address': address }),
    (address) => ({ 'client.address': isIPv6(address) ? `[${address}]:4711` : `${address}:4711` }),
    (address) => ({ 'client.address': isIPv6(address) ? address : `::ffff:${address}` }),
    (address) => ({ 'http.client_ip': address, 'net.peer.ip': '10.0.0.1' }),
    (address) => ({ 'network.peer.address': address }),
    (address) => ({ 'net.sock.peer.addr': address, 'client.address': '10.1.2.3' }),
    (address) => ({ 'http.request.header.x-forwarded-for': { array: [`${address}, 10.0.0.9`] } }),
    (address) => ({ 'http.request.header.forwarded': { array: [`for="[${address}]"`] } }),
    (address) => ({ 'http.request.header.x-real-ip': { array: [address] } }),
    (address) => ({ 'http.request.header.cf_connecting_ip': address }),
    (address) => ({ 'client.address': address, 'enduser.id': address }),
    (address) => ({ 'client.address': address, 'enduser.id': `guest at ${address}` }),
    (address) => ({ 'client.address': address, 'user_agent.original': address }),
    (address) => ({ 'client.address': address, 'user_agent.original': `probe-${address}/1.0` }),
    (address) => ({
      'client.address': address,
      'http.response.status_code': 500,
      'error.type': `refused by ${address}`,
    }),
  ];
  const known = { 'http.request.method': 'GET', 'http.route': '/a' };
  const calls = addresses.flatMap((address) => [
    ...places.map((attributes) => ({ ...known, ...attributes(address) })),
    { 'http.request.method': 'GET', 'url.path': `/hosts/${address}`, 'client.address': address },
    { 'http.request.method': 'GET', 'url.path': `/x-${address}`, 'client.address': address },
  ]);
  return encodeSpans(
    calls.map((call) => {
      const endTimeUnixNano = BigInt(atMs) * 1_000_000n;
      return serverSpan({
        startTimeUnixNano: endTimeUnixNano - 5_000_000n,
        endTimeUnixNano,
        attributes: Object.entries(call).map(([key, value]) => ({ key, value })),
      });
    }),
  );
}

/** Where full addresses stand in the folder's files, in words or in bytes. */
function found(path: string): string[] {
  return readdirSync(path).flatMap((name) => {
    const content = readFileSync(`${path}/${name}`);
    return addresses.flatMap((address) => {
      const forms = {
        text: Buffer.from(address),
        bytes: Buffer.from(ipaddr.parse(address).toByteArray()),
      };
      const places = Object.entries(forms).filter(([, bytes]) => content.includes(bytes));
      return places.map(([form]) => `${address} as ${form} in ${name}`);
    });
  });
}

async function send({ addresses: { otlp_http: url } }: Running, body: Buffer): Promise<void> {
  expect((await exchange(url!, body)).status).toBe(200);
}

interface Report {
  endpoints: { route: string; unique_clients: number; last_callers: { client: string }[] }[];
}

async function report(analyzer: string): Promise<Report> {
  const answer = await fetch(`${analyzer}/api/v1/report?window=30d`);
  return (await answer.json()) as Report;
}

async function clientsOf(analyzer: string): Promise<string[]> {
  const answer = await fetch(`${analyzer}/api/v1/clients?window=30d`);
  const { clients } = (await answer.json()) as { clients: { client: string }[] };
  return clients.map(({ client }) => client).sort();
}

describe.each(['truncate', 'hash', 'none'] as const)('%s, in processes', (mode) => {
  test('no full address on disk: after calls, rollups, a kill, a restart, a purge', async () => {
    const path = place(`store-${mode}`);
    const store = `${path}/rollcall.db`;
    const env = { ROLLCALL_CLIENT_PRIVACY: mode };
    const first = await startRollcall(store, env);
    await send(first, traffic());
    expect(found(path)).toEqual([]);
    const before = await clientsOf(first.addresses.analyzer!);
    await first.stop('SIGKILL');
    expect(found(path)).toEqual([]);

    const second = await startRollcall(store, env);
    await send(second, traffic());
    const after = await clientsOf(second.addresses.analyzer!);
    expect(after).toEqual(before);
    expect(after).toHaveLength({ truncate: 3, hash: 3, none: 0 }[mode]);
    const { endpoints } = await report(second.addresses.analyzer!);
    expect(JSON.stringify(endpoints)).not.toMatch(/203\.0\.113\.77|198\.51\.100\.201|8a2e/);
    const shape = { truncate: /\/(24|48)$/, hash: /^h:[\da-f]{16}$/, none: /^$/ }[mode];
    for (const { last_callers } of endpoints) {
      for (const { client } of last_callers) expect(client ?? '').toMatch(shape);
    }
    expect(existsSync(`${store}.client-key`)).toBe(mode === 'hash');
    const { output } = await second.stop();
    expect(output + first.output()).not.toMatch(/203\.0\.113\.77|198\.51\.100\.201|8a2e/);
    expect(found(path)).toEqual([]);

    const keepsAddresses = false;
    const writer = await openSqliteWriter({
      path: store,
      retention: defaultRetention,
      keepsAddresses,
    });
    await writer.compact();
    await writer.purge(Math.floor(Date.now() / 1000) + 30 * 86_400);
    expect(found(path)).toEqual([]);
    await writer.close();
    expect(found(path)).toEqual([]);
  });
});

test('addresses of the time before are gone, however the collector ended; clients stay apart', async () => {
  const path = place('switched');
  const store = `${path}/rollcall.db`;
  const first = await startRollcall(store);
  await send(first, traffic());
  const before = await report(first.addresses.analyzer!);
  await first.stop();
  const killed = await startRollcall(store);
  await send(killed, traffic());
  await killed.stop('SIGKILL');
  expect(found(path).length).toBeGreaterThan(0);

  // An analyzer that read the addresses, and goes on.
  const reading = await startAnalyzerProcess(store);
  expect(await clientsOf(reading.url)).toEqual([...addresses].sort());

  const second = await startRollcall(store, { ROLLCALL_CLIENT_PRIVACY: 'truncate' });
  const named = await clientsOf(reading.url);
  expect(named).toHaveLength(3);
  for (const client of named) expect(client).toMatch(/^h:[\da-f]{16}$/);
  expect(JSON.stringify(await report(reading.url))).not.toMatch(/203\.0\.113\.77|8a2e/);
  await reading.stop();
  const cleaned = await report(second.addresses.analyzer!);
  expect(cleaned.endpoints.map(({ unique_clients }) => unique_clients)).toEqual(
    before.endpoints.map(({ unique_clients }) => unique_clients),
  );
  expect(found(path)).toEqual([]);
  await second.stop();
  expect(found(path)).toEqual([]);
});

test("hash, in processes: the day turns, the old key's bytes are nowhere", async () => {
  const path = place('turned');
  const store = `${path}/rollcall.db`;
  const clock = `${folder.path}/clock`;
  // The services' time is ahead of the real one. They start at noon, half a day from the end of the day.
  let aheadMs = Math.floor(Date.now() / dayMs) * dayMs + 1.5 * dayMs - realMs();
  const passDays = (days: number) => {
    aheadMs += days * dayMs;
    writeFileSync(clock, String(aheadMs));
  };
  passDays(0);
  const now = () => realMs() + aheadMs;
  const preload = fileURLToPath(new URL('../../../support/shifted-clock.mjs', import.meta.url));
  const env = {
    ROLLCALL_CLIENT_PRIVACY: 'hash',
    NODE_OPTIONS: `--import=${preload}`,
    SHIFTED_CLOCK: clock,
  };
  const keyOf = () => readFileSync(`${store}.client-key`).subarray(4, 36);
  const keyIn = (key: Buffer) =>
    readdirSync(path).filter((name) => readFileSync(`${path}/${name}`).includes(key));

  const first = await startRollcall(store, env);
  await send(first, traffic(now()));
  const today = Buffer.from(keyOf());
  expect(keyIn(today)).toEqual(['rollcall.db.client-key']);
  expect(await clientsOf(first.addresses.analyzer!)).toHaveLength(3);

  // Nobody calls at midnight.
  passDays(1);
  await waitFor("the next day's key", () => !keyOf().equals(today));
  expect(keyIn(today)).toEqual([]);
  await send(first, traffic(now()));
  expect(await clientsOf(first.addresses.analyzer!)).toHaveLength(6);
  const tomorrow = Buffer.from(keyOf());
  await first.stop();

  // A restart on the same day, and one on a later day.
  const second = await startRollcall(store, env);
  await send(second, traffic(now()));
  expect(await clientsOf(second.addresses.analyzer!)).toHaveLength(6);
  await second.stop();
  expect(keyIn(tomorrow)).toEqual(['rollcall.db.client-key']);
  passDays(2);
  const third = await startRollcall(store, env);
  expect(keyIn(tomorrow)).toEqual([]);
  expect(await clientsOf(third.addresses.analyzer!)).toHaveLength(6);
  await third.stop();
  expect(found(path)).toEqual([]);
});
