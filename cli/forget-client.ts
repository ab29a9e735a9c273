import { isIP } from 'node:net';
import { readConfig } from '../core/config/config.ts';
import { AppError } from '../core/error.ts';
import { storePlace } from '../core/store/engine.ts';
import { readFlags, UsageError } from './flags.ts';

/** `rollcall forget --client ADDRESS`: takes an address out of the store. @returns the exit code */
export async function forgetClient(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, { client: { type: 'string' } });
  const address = String(own.client ?? '').trim();
  if (isIP(address) === 0) throw new UsageError(`--client "${address}" must be an IP address`);
  const place = storePlace(readConfig({ ...env, ...flags }).store);
  if (!(await place.forgetClient(address))) {
    throw new AppError('not_found', `${place.name} does not hold the client ${address}`);
  }
  process.stderr.write(`${address} is taken out of ${place.name}; backups are not changed\n`);
  return 0;
}
