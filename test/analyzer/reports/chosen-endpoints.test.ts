import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, dayMs, hourMs, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

let door: ListenOptions;
beforeAll(async () => {
  const at = (route: string, agoMs: number, client: string) =>
    call({ route, endMs: nowMs - agoMs, client });
  // A service that is heard every day: the first route is dead, the second cold, the third in use.
  const calls = Array.from({ length: 80 }, (_, day) =>
    at('/used', day * dayMs + hourMs, '10.0.0.1'),
  );
  for (let day = 40; day < 60; day += 1) calls.push(at('/dead', day * dayMs + hourMs, '10.0.0.2'));
  for (let day = 10; day < 30; day += 1) calls.push(at('/cold', day * dayMs + hourMs, '10.0.0.3'));
  door = await openDoor(oracleReader(calls), nowMs);
});
afterAll(() => door.close());

const calls = async (query: string): Promise<Record<string, number>> => {
  const ask = (path: string) => door.get(`${path}?window=80d&${query}`);
  const sum = (rows: { calls: number }[]) => rows.reduce((all, row) => all + row.calls, 0);
  const { latency_heatmap: heatmap } = await ask('/latency');
  return {
    summary: (await ask('/summary')).summary.total_requests,
    timeseries: sum((await ask('/timeseries')).points),
    latency: heatmap.counts.flat().reduce((all: number, cell: number) => all + cell, 0),
    clients: sum((await ask('/clients')).clients),
    consumers: (await ask('/consumers')).total_calls,
    compare: sum((await ask('/compare')).endpoints),
  };
};

const each = (count: number) => ({
  summary: count,
  timeseries: count,
  latency: count,
  clients: count,
  consumers: count,
  compare: count,
});

test('figures of several endpoints are narrowed by the statuses of the report', async () => {
  const { endpoints } = await door.get('/report?window=80d&fields=route,status&sort=route');
  expect(endpoints).toEqual([
    { route: '/cold', status: 'cold' },
    { route: '/dead', status: 'dead' },
    { route: '/used', status: 'active' },
  ]);
  expect(await calls('')).toEqual(each(120));
  expect(await calls('status=dead')).toEqual(each(20));
  expect(await calls('status=dead,active')).toEqual(each(100));
  expect(await calls('status=dead,active&route=/d*')).toEqual(each(20));
  expect(await calls('status=removed')).toEqual(each(0));
  expect(await calls('route=/none')).toEqual(each(0));
  expect((await door.get('/clients?window=80d&status=cold')).clients[0].client).toBe('10.0.0.3');
  const { filters } = await door.get('/summary?window=80d&status=dead,cold');
  expect(filters.status).toBe('dead,cold');
});

test('figures of several endpoints are narrowed by their owner', async () => {
  expect(await calls('owner=')).toEqual(each(120));
  expect(await calls('owner=nobody')).toEqual(each(0));
});
