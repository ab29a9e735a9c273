import { expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { stateTables } from '../../../../core/store/clickhouse/state-table.ts';
import { openClickhouseWriter } from '../../../../core/store/clickhouse/writer.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../core/window.ts';
import { contextBatch, inContexts } from '../../../store/contexts.ts';
import { randomCalls } from '../../../store/made-calls.ts';
import { launch, temporaryFolder } from '../../../support/process.ts';
import { newDatabase } from './engine.ts';

const seed = Number(process.env.TEST_SEED ?? 1);

it('a store moves to ClickHouse and back, and a repeated delivery is known in each', async () => {
  const folder = temporaryFolder();
  const { url, end } = newDatabase();
  const path = `${folder.path}/rollcall.db`;
  const back = `${folder.path}/back.db`;
  const nowS = Math.floor(Date.now() / 1000);
  const delivery = (serial: number) => {
    const dictionary = new CallDictionary();
    const calls = inContexts(seed, randomCalls(seed + serial, 400, nowS, 20));
    const batch = contextBatch(calls, dictionary, serial);
    return [batch, dictionary.takeNew()] as const;
  };
  const retention = defaultRetention;

  const sqlite = await openSqliteWriter({ path, retention });
  for (const serial of [1, 2, 3]) {
    await sqlite.append(...withEpoch(delivery(serial), serial));
    if (serial === 2) await sqlite.compact();
  }
  await sqlite.close();
  expect(await copied(`sqlite:${path}`, url)).toMatch(/1 projects, 1200 calls: both stores/);
  expect(await copied(`sqlite:${path}`, url), 'again').toMatch(/1200 calls: both stores/);

  const options = { url, retention, keepsAddresses: true, ignoreConsumers: [] };
  const clickhouse = await openClickhouseWriter(options);
  await clickhouse.append(...withEpoch(delivery(3), 1));
  await clickhouse.append(...withEpoch(delivery(4), 2));
  const reader = await openClickhouseReader(url);
  const count = () =>
    reader.snapshot('default', async (snapshot) => (await snapshot.total({}, allTime)).calls);
  expect(await count()).toBe(1600);
  await clickhouse.compact();
  expect(await count()).toBe(1600);
  await clickhouse.append(...withEpoch(delivery(5), 3));
  await clickhouse.close();
  expect(await copied(url, `sqlite:${back}`)).toMatch(/1 projects, 2000 calls: both stores/);

  const again = await openSqliteWriter({ path: back, retention });
  const outcome = await again.append(...withEpoch(delivery(5), 1));
  expect(outcome.stored).toEqual([false]);
  await again.close();
  await reader.close();
  await end();
  folder.remove();
});

/** Kills a copy with SIGKILL when it says that it has done a share of all, and again at the next; then lets it end. */
async function copiedWithKills(from: string, to: string, killAtPct: readonly number[]) {
  const firstPct: number[] = [];
  for (const pct of killAtPct) {
    const { child, ended, output } = launch('cli/rollcall.mjs', {}, ['copy', ...flags(from, to)]);
    child.stderr.on('data', () => {
      if (percentages(output()).some((shown) => shown >= pct)) child.kill('SIGKILL');
    });
    const { signal } = await ended;
    expect(signal, output()).toBe('SIGKILL');
    firstPct.push(percentages(output())[0]!);
  }
  const output = await copied(from, to);
  firstPct.push(percentages(output)[0]!);
  return { output, firstPct };
}

function percentages(output: string): number[] {
  return [...output.matchAll(/copied (\d+) %/g)].map(([, pct]) => Number(pct));
}

function flags(from: string, to: string): string[] {
  return ['--from', from, '--to', to];
}

it('a copy that is killed twice goes on where it was, in both directions, and nothing is lost or doubled', async () => {
  const folder = temporaryFolder();
  const { url, end } = newDatabase();
  const path = `${folder.path}/rollcall.db`;
  const back = `${folder.path}/back.db`;
  const nowS = Math.floor(Date.now() / 1000);
  const sqlite = await openSqliteWriter({ path, retention: defaultRetention });
  for (let serial = 1; serial <= 10; serial += 1) {
    const dictionary = new CallDictionary();
    const calls = inContexts(seed, randomCalls(seed + serial, 30_000, nowS, 200));
    const batch = contextBatch(calls, dictionary, serial);
    await sqlite.append(...withEpoch([batch, dictionary.takeNew()], serial));
    await sqlite.compact();
  }
  await sqlite.close();

  const there = await copiedWithKills(`sqlite:${path}`, url, [20, 50]);
  expect(there.output).toMatch(/1 projects, 300000 calls: both stores answer the same/);
  expect(there.firstPct[1]).toBeGreaterThanOrEqual(20);
  expect(there.firstPct[2]).toBeGreaterThanOrEqual(50);
  const andBack = await copiedWithKills(url, `sqlite:${back}`, [20, 50]);
  expect(andBack.output).toMatch(/1 projects, 300000 calls: both stores answer the same/);
  expect(andBack.firstPct[1]).toBeGreaterThanOrEqual(20);
  expect(andBack.firstPct[2]).toBeGreaterThanOrEqual(50);
  expect(rowsOf(back)).toEqual(rowsOf(path));
  await end();
  folder.remove();
});

it('a file that was written to after its copy was killed is copied anew, and a half copy is refused by name', async () => {
  const folder = temporaryFolder();
  const { url, end } = newDatabase();
  const path = `${folder.path}/rollcall.db`;
  const nowS = Math.floor(Date.now() / 1000);
  const append = async (serial: number): Promise<void> => {
    const sqlite = await openSqliteWriter({ path, retention: defaultRetention });
    const dictionary = new CallDictionary();
    const calls = inContexts(seed, randomCalls(seed + serial, 100_000, nowS, 200));
    const batch = contextBatch(calls, dictionary, serial);
    await sqlite.append(...withEpoch([batch, dictionary.takeNew()], serial));
    await sqlite.compact();
    await sqlite.close();
  };
  await append(1);
  const killed = launch('cli/rollcall.mjs', {}, ['copy', ...flags(`sqlite:${path}`, url)]);
  killed.child.stderr.on('data', () => {
    if (percentages(killed.output()).length > 0) killed.child.kill('SIGKILL');
  });
  expect((await killed.ended).signal).toBe('SIGKILL');
  await expect(openClickhouseReader(url)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^a store is being copied to .* run it again if it was broken/),
  });
  await append(2);
  expect(await copied(`sqlite:${path}`, url)).toMatch(/200000 calls: both stores/);

  const running = await openSqliteWriter({ path, retention: defaultRetention });
  expect(await copied(`sqlite:${path}`, url)).toMatch(/is being written by another collector/);
  await running.close();
  await end();
  folder.remove();
});

/** Rows by table, but for those of a file's writer. */
function rowsOf(path: string): Record<string, number> {
  const db = new Database(path, { readOnly: true });
  const tables = stateTables(db);
  const counts = [...tables.values()].map((table) => [table.name, table.count()] as const);
  const ofFile = db
    .prepare("SELECT count(*) FROM meta WHERE key LIKE 'writer%' OR key = 'delivered'")
    .pluck()
    .get() as number;
  db.close();
  const rows = Object.fromEntries(counts);
  return { ...rows, meta: rows.meta! - ofFile };
}

/** Each delivery of the test has a dictionary of its own. */
function withEpoch<B, D extends { epoch: number }>([batch, words]: readonly [B, D], epoch: number) {
  return [batch, { ...words, epoch }] as const;
}

async function copied(from: string, to: string): Promise<string> {
  return (await launch('cli/rollcall.mjs', {}, ['copy', ...flags(from, to)]).ended).output;
}
