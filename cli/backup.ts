import { readConfig } from '../core/config/config.ts';
import { storePlace } from '../core/store/engine.ts';
import { readFlags, UsageError } from './flags.ts';

/** `rollcall backup --to FILE`: copies the store, also while services run on it. @returns the exit code */
export async function backup(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, { to: { type: 'string' } });
  const target = fileOf(own.to, '--to');
  const config = readConfig({ ...env, ...flags });
  const place = storePlace(config.store);
  const bytes = await place.backUp(target, config);
  process.stderr.write(`${place.name} is copied to ${target}: ${bytes} bytes\n`);
  return 0;
}

/** `rollcall restore --from FILE`: replaces the store by a backup. @returns the exit code */
export async function restore(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    from: { type: 'string' },
    replace: { type: 'boolean' },
  });
  const source = fileOf(own.from, '--from');
  const place = storePlace(readConfig({ ...env, ...flags }).store);
  await place.restore(source, own.replace === true);
  process.stderr.write(`${place.name} is restored from ${source}\n`);
  return 0;
}

function fileOf(value: string | boolean | undefined, flag: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new UsageError(`${flag} FILE is missing`);
}
