import { apiUrl, print, request } from '../analyzer.ts';
import { readFlags } from '../flags.ts';

/**
 * `rollcall doctor`: what arrived from whom in the last days, why something does not count, and what mends it, as the
 * REST API of an analyzer says it.
 * @returns the exit code
 */
export async function doctor(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    url: { type: 'string' },
    json: { type: 'boolean' },
  });
  const place = apiUrl(own.url, { ...env, ...flags }, 'doctor');
  if (own.json !== true) place.searchParams.set('format', 'md');
  print(await request(place, env));
  return 0;
}
