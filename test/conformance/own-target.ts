import { newKey, type Scope } from '../../core/key.ts';
import { openSqliteKeys } from '../../core/store/sqlite/keys.ts';
import { authority, writePair } from '../support/certificates.ts';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { equal } from './check.ts';
import { counterOf, storedSpans } from './exchange.ts';
import type { OwnTarget, ReportedEndpoint, Setup, Target } from './target.ts';

/** A target that was started here, and its end. */
export interface RunningTarget extends OwnTarget {
  close(): Promise<void>;
}

/** The origins of the setup `cors`. */
export const allowedOrigins = ['https://app.example.com', 'https://*.dev.example.com'];

/** Starts a collector on a store of its own. */
export async function openOwnTarget(setup: Setup = 'plain'): Promise<RunningTarget> {
  const folder = temporaryFolder();
  const storePath = `${folder.path}/rollcall.db`;
  const issuer = authority('Conformance');
  const issue = (name: string) => writePair(`${folder.path}/tls`, issuer.issue(name));
  const environments: Record<Setup, Record<string, string>> = {
    plain: {},
    small: { ROLLCALL_MAX_BODY_MIB: '1' },
    keys: { ROLLCALL_AUTH: 'keys' },
    tls: issue('first'),
    cors: {
      ROLLCALL_CORS_ORIGINS: allowedOrigins.join(','),
      ROLLCALL_RESPONSE_HEADERS: 'x-frame-options=DENY,x-team=a%2Cb',
    },
  };
  const keys = setup === 'keys' ? await createKeys(storePath) : { ingest: '', read: '', admin: '' };
  const collector = await startCollectorProcess(storePath, {
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ...environments[setup],
  });
  const { url } = collector;
  let analyzer: Promise<Running & { url: string }> | undefined;
  const counter = (name: string) => counterOf(url, name);
  return {
    httpUrl: url,
    grpcAddress: addressOf(collector),
    bodyBytesMax: setup === 'small' ? 2 ** 20 : 64 * 2 ** 20,
    inside: {
      counter,
      stored: () => counter(storedSpans),
      async endpoints() {
        analyzer ??= startAnalyzerProcess(storePath);
        const answer = await fetch(`${(await analyzer).url}/api/v1/report?window=30d&limit=1000`);
        const { endpoints } = (await answer.json()) as { endpoints: ReportedEndpoint[] };
        return endpoints;
      },
      storePath,
      running: collector,
      keys,
      authority: issuer,
      issue,
    },
    async close() {
      await (await analyzer)?.stop();
      await collector.stop();
      folder.remove();
    },
  };
}

/** One key of each scope in a project of its own, in the store itself. */
async function createKeys(storePath: string): Promise<Record<Scope, string>> {
  const store = await openSqliteKeys(storePath);
  const create = async (scope: Scope) => {
    const { id, text, digest, prefix } = newKey();
    const createdS = Math.floor(Date.now() / 1000);
    await store.createKey('shop', { id, scope, digest, prefix, createdS });
    return text;
  };
  try {
    await store.createProject('shop');
    return {
      ingest: await create('ingest'),
      read: await create('read'),
      admin: await create('admin'),
    };
  } finally {
    await store.close();
  }
}

/** `127.0.0.1:4317` of a running collector. */
export function addressOf({ addresses }: Running): string {
  return new URL(addresses.otlp_grpc!).host;
}

/**
 * Does something and checks how many calls that stored. On a server whose counters are not ours to see,
 * it only does it.
 */
export async function storing<T>(target: Target, calls: number, act: () => Promise<T>): Promise<T> {
  const before = await target.inside?.stored();
  const result = await act();
  if (before !== undefined) {
    equal((await target.inside!.stored()) - before, calls, 'calls stored');
  }
  return result;
}
