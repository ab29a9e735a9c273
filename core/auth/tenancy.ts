import type { Config } from '../config/config.ts';
import { asAppError } from '../error.ts';
import type { Log } from '../log.ts';
import { storePlace } from '../store/engine.ts';
import type { KeyStore } from '../store/keys.ts';
import { Retrying } from '../store/late.ts';
import { type Authorizer, authorizerOf } from './authorizer.ts';

/** The authorization of one service: the authorizer and the keys that it checks. */
export interface Tenancy {
  authorizer: Authorizer;
  /** Opened by the first call; never called with authentication off. @throws AppError `unavailable` */
  keys(): Promise<KeyStore>;
  close(): Promise<void>;
}

export function openTenancy(config: Pick<Config, 'auth' | 'adminKey' | 'store'>): Tenancy {
  const { auth, adminKey, store } = config;
  const late = new Retrying(storePlace(store).openKeys);
  const keys = () => late.get();
  const authorizer = authorizerOf({ auth, adminKey, keys });
  return {
    authorizer,
    keys,
    async close() {
      await authorizer.close();
      await late.close();
    },
  };
}

/** Logs how to create the first key, when a service requires keys and the store has none. */
export async function warnWithoutKeys(
  { keys }: Tenancy,
  { auth, adminKey }: Pick<Config, 'auth' | 'adminKey'>,
  log: Log,
): Promise<void> {
  if (auth === 'off' || adminKey !== undefined) return;
  try {
    const active = await (await keys()).activeKeys();
    if (active.keys.length > 0) return;
    log.warn(
      'every request needs a key, and there is none yet: rollcall keys create --project NAME --scope ingest makes one',
    );
  } catch (error) {
    // A store that cannot be read yet is logged elsewhere.
    if (asAppError(error).code !== 'unavailable') throw error;
  }
}
