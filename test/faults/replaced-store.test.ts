import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { waitFor } from '../support/wait.ts';
import { everythingOnce, Trial } from './trial.ts';

const running: Running[] = [];
const folders: { remove(): void }[] = [];

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop('SIGKILL');
  for (const folder of folders.splice(0)) folder.remove();
});

/** SQLite goes on writing to open files, wherever they are: nobody could read the calls after a restart. */
test.each<[string, string, (path: string) => void]>([
  ['deleted', '', (path) => rmSync(path)],
  ['replaced by a copy', '', replaceByCopy],
  ['left without its write-ahead log', '-wal', (path) => rmSync(`${path}-wal`)],
  ['left without the index of its log', '-shm', (path) => rmSync(`${path}-shm`)],
])(
  'a store that is %s while in use: no later send is acknowledged, and 503',
  async (_, suffix, harm) => {
    const { storePath, collector, analyzer, trial } = await start();
    const { sending } = trial;

    harm(storePath);
    const before = sending.acknowledged;
    await waitFor('15 refusals', () => sending.refusals.length >= 15);
    // Four senders: answers on their way when the file went.
    expect(sending.acknowledged).toBeLessThanOrEqual(before + 4);
    expect(sending.refusals.filter(({ status }) => status !== 503)).toEqual([]);
    for (const { url } of [collector, analyzer]) {
      await waitFor('503', async () => (await fetch(`${url}/readyz`)).status === 503, {
        withinMs: 3_000,
      });
      expect(await (await fetch(`${url}/readyz`)).text()).toMatch(
        new RegExp(`/rollcall\\.db${suffix} was (deleted or moved|replaced) while in use: `),
      );
    }
    const report = await fetch(`${analyzer.url}/api/v1/report`);
    expect(report.status).toBe(503);
    sending.disconnect();
  },
);

test('a store that is moved while in use takes calls again when it is back, and lost none', async () => {
  const { storePath, collector, trial } = await start();
  const { sending } = trial;

  renameSync(storePath, `${storePath}.moved`);
  await waitFor('15 refusals', () => sending.refusals.length >= 15);
  expect((await fetch(`${collector.url}/readyz`)).status).toBe(503);
  const before = sending.acknowledged;
  renameSync(`${storePath}.moved`, storePath);
  await trial.acknowledged(before + 10);
  await trial.finish();
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

async function start() {
  const folder = temporaryFolder();
  folders.push(folder);
  const storePath = `${folder.path}/rollcall.db`;
  const collector = await startCollectorProcess(storePath);
  running.push(collector);
  const analyzer = await startAnalyzerProcess(storePath);
  running.push(analyzer);
  const trial = new Trial(7, 20);
  trial.sending.connect(collector.url);
  await trial.acknowledged(5);
  return { storePath, collector, analyzer, trial };
}

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}
