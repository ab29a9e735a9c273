import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../core/config/config.ts';
import { variables } from '../../core/config/variables.ts';
import { AppError } from '../../core/error.ts';

/** Where a demo takes place: a store of its own, and ports that do not disturb a Rollcall at work. */
export interface Addresses {
  collector: string;
  analyzer: string;
}

/** A store nobody has used: a temporary one, removed at the end, or the one asked for, which stays. */
export async function freshStore(
  asked: string | undefined,
): Promise<{ text: string; remove(): Promise<void> }> {
  if (asked) {
    const { path } = readConfig({ ROLLCALL_STORE: asked }).store;
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) {
      throw new AppError('conflict', `the demo wants a fresh store, and "${path}" exists already`);
    }
    return { text: asked, remove: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-demo-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { text: `sqlite:${join(folder, 'rollcall.db')}`, remove };
}

/** Keeps ports that were asked for; takes free ones where the usual ports are taken, or 0 was asked. */
export async function withFreePorts(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const found = { ...env };
  const { host } = readConfig(env);
  const names = [
    'ROLLCALL_OTLP_HTTP_PORT',
    'ROLLCALL_OTLP_GRPC_PORT',
    'ROLLCALL_ANALYZER_PORT',
  ] as const;
  for (const name of names) {
    const asked = env[name]?.trim();
    if (asked && asked !== '0') continue;
    const usual = Number(asked ?? variables[name].fallback);
    found[name] = String((await freePort(host, usual)) ?? (await freePort(host, 0)));
  }
  return found;
}

/** Base addresses to reach the services of a configuration without port 0. */
export function addressesOf(env: NodeJS.ProcessEnv): Addresses {
  const { host, otlpHttpPort, analyzerPort } = readConfig(env);
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const name = reachable.includes(':') ? `[${reachable}]` : reachable;
  return {
    collector: `http://${name}:${otlpHttpPort}`,
    analyzer: `http://${name}:${analyzerPort}`,
  };
}

/** @returns the port, or the free one taken for 0; undefined when it is taken */
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
