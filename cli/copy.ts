import { isDeepStrictEqual } from 'node:util';
import { readConfig } from '../core/config/config.ts';
import { AppError } from '../core/error.ts';
import { type StorePlace, storePlace } from '../core/store/engine.ts';
import { allTime } from '../core/window.ts';
import { readFlags, UsageError } from './flags.ts';

/**
 * `rollcall copy --from STORE --to STORE`: copies a store to a new one on the other engine, as it is at one moment, and
 * compares what both answer. Calls that come meanwhile are not copied: collectors are stopped before, and start on the
 * new store. @returns the exit code
 */
export async function copy(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { own } = readFlags(args, { from: { type: 'string' }, to: { type: 'string' } });
  const from = storeOf(own.from, '--from', env);
  const to = storeOf(own.to, '--to', env);
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
  if (from.engine === 'sqlite') await target.restore(from.path, false);
  else if (to.engine === 'sqlite') await source.backUp(to.path);
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

function storeOf(value: unknown, flag: string, env: NodeJS.ProcessEnv) {
  if (typeof value !== 'string' || value === '') throw new UsageError(`${flag} STORE is missing`);
  return readConfig({ ...env, ROLLCALL_STORE: value }).store;
}

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
        })),
      );
    }
    return facts;
  } finally {
    await reader.close();
  }
}
