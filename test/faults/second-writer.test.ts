import { linkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { Database } from '../../core/store/sqlite/database.ts';
import {
  type Running,
  runToEnd,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { everythingOnce, Trial } from './trial.ts';

const running: Running[] = [];
const folders: { remove(): void }[] = [];

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const folder of folders.splice(0)) folder.remove();
});

/** Two collectors on one file would each keep rows and counts in memory that the other changes. */
test.each<[string, (path: string) => string, RegExp]>([
  ['through a symbolic link', symbolicLink, /another collector \(it holds .*rollcall\.db\.lock\)/],
  ['through a hard link', hardLink, /has 2 names \(hard links\)/],
  [
    'after the lock file was deleted',
    deletedLock,
    /another collector \(it answers, although its lock file was deleted\)/,
  ],
])('a second collector %s: exit 1, and the first goes on', async (_, secondName, message) => {
  const { storePath, trial } = await start();
  const otherName = secondName(storePath);
  const second = await runToEnd('collector/main.ts', {
    ROLLCALL_STORE: `sqlite:${otherName}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
  });
  if (otherName !== storePath) rmSync(otherName);
  expect(second.output).toMatch(message);
  expect(second.code).toBe(1);

  await trial.acknowledged(trial.sending.acknowledged + 5);
  await trial.finish();
  expect(trial.sending.refusals).toEqual([]);
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

test('a collector after one that was killed and lost its lock file starts, and counts on', async () => {
  const { storePath, trial } = await start();
  trial.sending.disconnect();
  await running.splice(0)[0]!.stop('SIGKILL');
  rmSync(`${storePath}.lock`);
  const second = await startCollectorProcess(storePath);
  running.push(second);
  trial.sending.connect(second.url);
  await trial.acknowledged(trial.sending.acknowledged + 5);
  await trial.finish();
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

test('a collector that was taken for dead commits nothing more, and ends', async () => {
  const { storePath, trial } = await start();
  const [first] = running.splice(0);
  const db = new Database(storePath, { timeoutMs: 10_000 });
  db.exec("UPDATE meta SET value = value + 1 WHERE key = 'writer'");
  db.close();
  const { code, output } = await first!.ended;
  trial.sending.disconnect();
  const before = trial.sending.acknowledged;
  expect(output).toContain('another collector has become the writer of this store');
  expect(code).toBe(1);

  const second = await startCollectorProcess(storePath);
  running.push(second);
  trial.sending.connect(second.url);
  await trial.acknowledged(before + 5);
  await trial.finish();
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

async function start() {
  const folder = temporaryFolder();
  folders.push(folder);
  const storePath = `${folder.path}/rollcall.db`;
  const first = await startCollectorProcess(storePath);
  running.push(first);
  const trial = new Trial(11, 50);
  trial.sending.connect(first.url);
  await trial.acknowledged(5);
  return { storePath, trial };
}

function symbolicLink(path: string): string {
  symlinkSync(path, `${path}.symbolic`);
  return `${path}.symbolic`;
}

function hardLink(path: string): string {
  linkSync(path, `${path}.hard`);
  return `${path}.hard`;
}

function deletedLock(path: string): string {
  renameSync(`${path}.lock`, `${path}.old-lock`);
  rmSync(`${path}.old-lock`);
  return path;
}
