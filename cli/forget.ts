import { isIP } from 'node:net';
import { readConfig } from '../core/config/config.ts';
import { AppError } from '../core/error.ts';
import { storePlace } from '../core/store/engine.ts';
import { apiUrl, print, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';

/**
 * `rollcall forget …`: forgets an endpoint, or a service with all its endpoints, over the REST API of an analyzer. With
 * `--client` it forgets a client's address, in the store itself.
 * @returns the exit code
 */
export async function forget(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => /^--client(=|$)/.test(arg))) return forgetClient(args, env);
  const { env: flags, own } = readFlags(args, {
    endpoint: { type: 'string' },
    service: { type: 'string' },
    environment: { type: 'string' },
    url: { type: 'string' },
  });
  const { endpoint, service, environment } = own;
  if ((endpoint === undefined) === (service === undefined)) {
    throw new UsageError('forget needs either --endpoint ID or --service NAME');
  }
  const known = { ...env, ...flags };
  if (endpoint !== undefined) {
    if (environment !== undefined) {
      throw new UsageError('--environment goes with --service; an id names one environment');
    }
    const place = apiUrl(own.url, known, `endpoints/${encodeURIComponent(String(endpoint))}`);
    await request(place, env, { method: 'DELETE' });
    remark(`endpoint ${endpoint} is forgotten; it is new if it is called again`);
    return 0;
  }
  const place = apiUrl(own.url, known, `services/${encodeURIComponent(String(service))}`);
  if (environment !== undefined) place.searchParams.set('environment', String(environment));
  const answer = JSON.parse(await request(place, env, { method: 'DELETE' })) as Answer;
  print(String(answer.forgotten_endpoints));
  remark(`service ${service} is forgotten with ${answer.forgotten_endpoints} endpoints`);
  return 0;
}

/** `rollcall forget --client ADDRESS`: takes an address out of the store. @returns the exit code */
async function forgetClient(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
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

interface Answer {
  forgotten_endpoints: number;
}
