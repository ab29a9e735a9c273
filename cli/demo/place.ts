import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../core/config/config.ts';
import { variables } from '../../core/config/variables.ts';
import { AppError } from '../../core/error.ts';
import { storePlace } from '../../core/store/engine.ts';

/** Base addresses of the demo's services, on ports that a running Rollcall does not use. */
export interface Addresses {
  collector: string;
  analyzer: string;
}

/** A new store: a temporary one that `remove` deletes, or the given one, which must not exist yet and stays. */
export async function freshStore(
  given: string | undefined,
): Promise<{ text: string; remove(): Promise<void> }> {
  if (given) {
    const place = storePlace(readConfig({ ROLLCALL_STORE: given }).store);
    if (await place.exists()) {
      const message = `the demo needs a new store, and "${place.name}" exists already`;
      throw new AppError('conflict', message);
    }
    return { text: given, remove: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-demo-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { text: `sqlite:${join(folder, 'rollcall.db')}`, remove };
}

/** Keeps given ports; replaces default ports that are in use, and port 0, by free ones. */
export async function withFreePorts(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const found = { ...env };
  const { host } = readConfig(env);
  const names = [
    'ROLLCALL_OTLP_HTTP_PORT',
    'ROLLCALL_OTLP_GRPC_PORT',
    'ROLLCALL_ANALYZER_PORT',
  ] as const;
  for (const name of names) {
    const given = env[name]?.trim();
    if (given && given !== '0') continue;
    const usual = Number(given ?? variables[name].fallback);
    found[name] = String((await freePort(host, usual)) ?? (await freePort(host, 0)));
  }
  return found;
}

/** Base addresses of the services of a configuration that has no port 0. */
export function addressesOf(env: NodeJS.ProcessEnv): Addresses {
  const { host, otlpHttpPort, analyzerPort } = readConfig(env);
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const name = reachable.includes(':') ? `[${reachable}]` : reachable;
  return {
    collector: `http://${name}:${otlpHttpPort}`,
    analyzer: `http://${name}:${analyzerPort}`,
  };
}

/** @returns the port, or a free one for 0; undefined when the port is in use */
async function freePort(host: string, port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return (server.address() as { port: number }).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && port !== 0) return undefined;
    throw error;
  } finally {
    server.close();
  }
}
