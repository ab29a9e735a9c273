import { readConfig } from '../core/config/config.ts';
import { storePlace } from '../core/store/engine.ts';
import { readFlags } from './flags.ts';

/** `rollcall check` without a specification: reads the whole store. @returns the exit code: 1 when anything is damaged */
export async function checkStore(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags } = readFlags(args);
  const place = storePlace(readConfig({ ...env, ...flags }).store);
  const { calls, blocks, commits, usage, damaged } = await place.check();
  for (const what of damaged) process.stdout.write(`damaged: ${what}\n`);
  const read = `${calls} raw calls in ${blocks} blocks and ${commits} commits, ${usage} rows of usage`;
  process.stdout.write(`${place.name}: ${read}; ${damaged.length} damaged\n`);
  return damaged.length === 0 ? 0 : 1;
}
