import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallReader, Snapshot } from '../../../core/store/store.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const longRoute = 'a'.repeat(120);
let door: ListenOptions;
beforeAll(async () => {
  const calls = ['/users/{id}', '/files/{path}', longRoute].map((route) => call({ route }));
  door = await openDoor(displaying(oracleReader(calls), '/users/{id}', '/users/:id'), nowMs);
});
afterAll(() => door.close());

test('a glob that makes a backtracking matcher slow is answered at once', async () => {
  const startedUs = process.cpuUsage().user;
  const answer = await door.get('/report?route=*a*a*a*a*b');
  expect(answer.endpoints).toEqual([]);
  expect((await door.get('/report?route=*a*a*a*a*')).endpoints).toHaveLength(1);
  // As a regular expression the first took 1.5 s.
  expect(process.cpuUsage().user - startedUs).toBeLessThan(1_000_000);
});

test.each([
  ['/users/{id}', 1],
  ['/users/:id', 1],
  ['/users/:*', 1],
  ['/users/????', 1],
  ['/users/???', 1],
  ['/users/??', 0],
  ['/*', 2],
])('route=%s matches the canonical route or the spelling that is shown', async (glob, rows) => {
  const path = `/report?route=${encodeURIComponent(glob)}`;
  expect((await door.get(path)).endpoints).toHaveLength(rows);
});

/** The reader, with another spelling of one route. */
function displaying(reader: CallReader, route: string, display: string): CallReader {
  const respelled = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    async endpoints(selection) {
      const records = await snapshot.endpoints(selection);
      return records.map((record) => (record.route === route ? { ...record, display } : record));
    },
  });
  return {
    ...reader,
    snapshot: (project, ask) => reader.snapshot(project, (snapshot) => ask(respelled(snapshot))),
  };
}
