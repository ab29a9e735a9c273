import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { benchFolder, newStore } from './folder.ts';
import { writeHistory } from './history.ts';

/**
 * `node test/labs/bench/migration.ts --base CHECKOUT --calls 10000000`: a store with rows, written by a checkout of release
 * 0.1.0 (after `npm ci` there), is opened by this version. Prints how long nothing can be committed, and how long the
 * rows take to become blocks in the background.
 */
const { values } = parseArgs({
  options: { base: { type: 'string' }, calls: { type: 'string', default: '10000000' } },
});
const base = resolve(values.base ?? '');
const module = join(base, 'core/store/sqlite/writer.ts');
if (!values.base || !existsSync(module)) throw new Error('--base must name a checkout of 0.1.0');
const calls = Number(values.calls);
const folder = benchFolder();
try {
  const path = newStore(folder, 'migration');
  const nowS = Math.floor(Date.now() / 1000);
  // All calls within the retention of raw calls, which a migration of less would not need.
  const history = { calls, endpoints: 1_000, days: 2, nowS, seed: 9 };
  const old = await (await import(module)).openSqliteWriter({ path, retention: defaultRetention });
  await writeHistory(old, history);
  await old.close();
  const bytes = statSync(path).size;
  process.stdout.write(`${calls} calls as rows, ${(bytes / 2 ** 20).toFixed(0)} MiB\n`);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const openS = (performance.now() - started) / 1000;
  process.stdout.write(`the store takes calls after ${openS.toFixed(2)} s\n`);
  let worst = 0;
  while (writer.conversion !== undefined || performance.now() - started < 3_000) {
    const before = performance.now();
    await writer.check();
    worst = Math.max(worst, performance.now() - before);
    await wait(20);
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(
    `all calls are in blocks after ${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} CPU s; a commit waited ${worst.toFixed(0)} ms at most\n`,
  );
  await writer.close();
} finally {
  folder.remove();
}
