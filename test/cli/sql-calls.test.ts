import { afterAll, expect, it } from 'vitest';
import { CallDictionary } from '../../core/call.ts';
import { defaultRetention } from '../../core/config/retention.ts';
import { limits } from '../../core/limits.ts';
import { askSqlite } from '../../core/store/sqlite/sql/query.ts';
import { openSqliteWriter } from '../../core/store/sqlite/writer/writer.ts';
import { contextBatch, inContexts } from '../store/contexts.ts';
import { randomCalls } from '../store/made-calls.ts';
import { temporaryFolder } from '../support/process.ts';
import { rawCallsOf } from '../support/stored-calls.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

it('the table calls holds every call once, of blocks and of commits, while a writer goes on', async () => {
  const path = `${folder.path}/rollcall.db`;
  const nowS = Math.floor(Date.now() / 1000);
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  try {
    const dictionary = new CallDictionary();
    const calls = inContexts(5, randomCalls(5, 3_000, nowS, 20, 3600));
    const append = async (from: number, to: number) => {
      const batch = contextBatch(calls.slice(from, to), dictionary, from);
      await writer.append(batch, dictionary.takeNew());
    };
    await append(0, 1_000);
    await append(1_000, 2_000);
    await writer.compact();
    await append(2_000, 3_000);

    const bounds = { rowsMost: limits.sqlRows, timeoutMs: 60_000 };
    const { rows } = await askSqlite(
      path,
      `SELECT id, route, status, duration_ms, client, request_bytes, trace_id, weight, project FROM calls`,
      bounds,
    );
    const raw = rawCallsOf(path);
    expect(new Set(raw.map(({ where }) => where))).toEqual(new Set(['block', 'commit']));
    const expected = raw.map((call) => [
      call.id,
      call.route,
      call.status,
      call.durationNs < 0 ? null : call.durationNs / 1e6,
      call.client === '' ? null : call.client,
      call.requestBytes < 0 ? null : call.requestBytes,
      call.traceId,
      call.weight,
      'default',
    ]);
    expect(rows).toEqual(expected);
    expect(rows).toHaveLength(3_000);

    const counted = await askSqlite(
      path,
      `SELECT a.n, b.n FROM (SELECT count(*) AS n FROM calls) a
       JOIN (SELECT count(*) AS n FROM calls c JOIN endpoint e ON e.route = c.route) b`,
      bounds,
    );
    expect(counted.rows[0]![0]).toBe(3_000);
  } finally {
    await writer.close();
  }
});
