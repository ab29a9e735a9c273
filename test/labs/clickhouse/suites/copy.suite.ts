import { expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { openClickhouseWriter } from '../../../../core/store/clickhouse/writer.ts';
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
  expect(await copied(`sqlite:${path}`, url)).toMatch(/is not empty: name another database/);

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

/** Each delivery of the test has a dictionary of its own. */
function withEpoch<B, D extends { epoch: number }>([batch, words]: readonly [B, D], epoch: number) {
  return [batch, { ...words, epoch }] as const;
}

async function copied(from: string, to: string): Promise<string> {
  const { output } = await launch('cli/rollcall.mjs', {}, ['copy', '--from', from, '--to', to])
    .ended;
  return output;
}
