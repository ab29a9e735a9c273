import { isDeepStrictEqual } from 'node:util';
import { readConfig } from '../../core/config/config.ts';
import { AppError } from '../../core/error.ts';
import { type StorePlace, storePlace } from '../../core/store/engine.ts';
import { allTime } from '../../core/window.ts';
import { readFlags, UsageError } from '../flags.ts';
import { Progress } from './progress.ts';

/**
 * `rollcall copy --from STORE --to STORE`: makes a store a new one on the other engine, and compares what both answer.
 * Collectors are stopped before and start on the new store; a file that a collector writes is refused, and a copy of a
 * ClickHouse store that was written to meanwhile fails. Broken off at any moment and started again, it goes on.
 * @returns the exit code
 */
export async function copy(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { own } = readFlags(args, { from: { type: 'string' }, to: { type: 'string' } });
  const fromConfig = configOf(own.from, '--from', env);
  const from = fromConfig.store;
  const to = configOf(own.to, '--to', env).store;
  if (from.engine === to.engine) {
    throw new UsageError('--from and --to must be of two engines; `rollcall backup` copies a file');
  }
  const [source, target] = [storePlace(from), storePlace(to)];
  if (!(await source.exists())) {
    throw new AppError('not_found', `there is no store at ${source.name}`);
  }
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`copying ${source.name} to ${target.name} …`);
  const startedMs = performance.now();
  const progress = new Progress(process.stderr);
  const onProgress = (rows: number, rowsOfAll: number) => progress.show(rows, rowsOfAll);
  try {
    if (from.engine === 'sqlite') await target.moveIn(from.path, onProgress);
    else if (to.engine === 'sqlite') await source.moveOut(to.path, fromConfig, onProgress);
  } finally {
    progress.end();
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(`copied in ${seconds} s; comparing …`);
  const [before, after] = [await factsOf(source), await factsOf(target)];
  if (!isDeepStrictEqual(before, after)) {
    throw new AppError(
      'conflict',
      `${target.name} does not answer as ${source.name} does: was a collector still running?`,
    );
  }
  const calls = before.reduce((sum, { total }) => sum + total.calls, 0);
  say(`${before.length} projects, ${calls} calls: both stores answer the same`);
  return 0;
}

function configOf(value: unknown, flag: string, env: NodeJS.ProcessEnv) {
  if (typeof value !== 'string' || value === '') throw new UsageError(`${flag} STORE is missing`);
  return readConfig({ ...env, ROLLCALL_STORE: value });
}

/** Raw calls that are compared, of each of two orders. */
const rawCalls = 1_000;

/** What every report is made of: all usage there is, by endpoint, and the permanent records. */
async function factsOf(place: StorePlace) {
  const keys = await place.openKeys();
  const projects = await keys.projects();
  await keys.close();
  const reader = await place.openReader();
  try {
    const facts = [];
    for (const { name } of projects) {
      facts.push(
        await reader.snapshot(name, async (snapshot) => ({
          name,
          total: await snapshot.total({}, allTime),
          usage: await snapshot.usage({}, allTime),
          endpoints: await snapshot.endpoints({}),
          services: await snapshot.services(),
          consumers: await snapshot.consumers({}, allTime, 1000),
          inventories: await snapshot.inventories(),
          decisions: await snapshot.decisions(),
          newest: (await snapshot.calls({}, {}, { order: 'newest', limit: rawCalls })).calls,
          slowest: (await snapshot.calls({}, {}, { order: 'slowest', limit: rawCalls })).calls,
        })),
      );
    }
    return facts;
  } finally {
    await reader.close();
  }
}
