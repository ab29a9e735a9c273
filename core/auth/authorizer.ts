import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../error.ts';
import { digestOf, type Scope } from '../key.ts';
import type { ActiveKey, KeyStore } from '../store/keys.ts';
import { type Credentials, keyTextOf } from './credentials.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { KeyCache } from './key-cache.ts';

/** Finds the project of a request's key and checks the key's scope, for every listener. */
export interface Authorizer {
  /**
   * The project of the request's key.
   * @throws AppError `unauthenticated` without a valid key, `forbidden` for a wrong scope, `throttled` after too
   *   many wrong keys, `unavailable` when the keys cannot be read
   * @param onWrongScope told of the project of a valid key that may not do this
   */
  project(
    credentials: Credentials,
    action: Action,
    onWrongScope?: (project: string, scope: Scope) => void,
  ): Promise<string>;
  /** The sender of an administrative command. @throws as `project`; AppError `conflict` with authentication off */
  administrator(credentials: Credentials): Promise<Administrator>;
  /** Writes pending uses of keys. The caller closes the store afterwards. */
  close(): Promise<void>;
}

/**
 * `declare`: upload the routes of a service. A service may do it itself, so `ingest` keys may. `decide`: what is to
 * become of endpoints, and `describe`: who consumers are, which a service and a reader of reports may not.
 */
export type Action = 'ingest' | 'read' | 'declare' | 'decide' | 'describe';

/** The operator (ROLLCALL_ADMIN_KEY) administers every project, a key of scope `admin` its own. */
export type Administrator = { isOperator: true } | { isOperator: false; project: string };

/** The project of a Rollcall without keys. */
export const defaultProject = 'default';

/** With authentication off: every request is allowed, in the only project. */
export const openAuthorizer: Authorizer = {
  project: async () => defaultProject,
  administrator: async () => {
    const message = `authentication is off (ROLLCALL_AUTH=off): there is one project, ${defaultProject}, and no key is asked for; ROLLCALL_AUTH=keys turns it on`;
    throw new AppError('conflict', message);
  },
  close: async () => {},
};

export interface AuthorizerOptions {
  auth: 'off' | 'keys';
  /** ROLLCALL_ADMIN_KEY. */
  adminKey: string | undefined;
  keys: () => Promise<KeyStore>;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export function authorizerOf({
  auth,
  adminKey,
  keys,
  now = Date.now,
}: AuthorizerOptions): Authorizer {
  return auth === 'off'
    ? openAuthorizer
    : new KeyAuthorizer(new KeyCache(keys, now), adminKey, now);
}

class KeyAuthorizer implements Authorizer {
  readonly #ring: KeyCache;
  readonly #adminDigest: Buffer | undefined;
  readonly #failed: FailedAttempts;

  constructor(ring: KeyCache, adminKey: string | undefined, now: () => number) {
    this.#ring = ring;
    this.#adminDigest = adminKey === undefined ? undefined : digestOf(adminKey);
    this.#failed = new FailedAttempts(now);
  }

  async project(
    credentials: Credentials,
    action: Action,
    onWrongScope?: (project: string, scope: Scope) => void,
  ): Promise<string> {
    const key = await this.#identify(credentials);
    if (key === 'operator') {
      const message = `ROLLCALL_ADMIN_KEY belongs to no project: it creates projects and keys; ${action} with a key of a project`;
      throw new AppError('forbidden', message);
    }
    if (scopesAllowed[action].includes(key.scope)) return key.project;
    onWrongScope?.(key.project, key.scope);
    const message = `a key with scope ${key.scope} may not ${action}; scope ${scopesAllowed[action].join(' or ')} may`;
    throw new AppError('forbidden', message);
  }

  async administrator(credentials: Credentials): Promise<Administrator> {
    const key = await this.#identify(credentials);
    if (key === 'operator') return { isOperator: true };
    if (key.scope === 'admin') return { isOperator: false, project: key.project };
    throw new AppError(
      'forbidden',
      `a key with scope ${key.scope} may not administer keys; scope admin may`,
    );
  }

  async close(): Promise<void> {
    await this.#ring.close();
  }

  /**
   * Looks up the store's keys first: they cannot be guessed, and a valid key passes regardless of wrong keys from
   * its address. ROLLCALL_ADMIN_KEY was chosen by a person: beyond the bound it is not compared.
   */
  async #identify(credentials: Credentials): Promise<ActiveKey | 'operator'> {
    const { address, keyDigest } = credentials;
    const digest = keyDigest ?? digestOf(keyTextOf(credentials));
    const key = await this.#ring.find(digest, !this.#failed.isSpent(address));
    if (key !== undefined) return key;
    // The key was valid when the session began, so this is not a guess: no attempt is counted.
    if (keyDigest !== undefined) {
      if (this.#isOperator(digest)) return 'operator';
      const message = 'the key of this session was rotated or revoked: sign in again';
      throw new AppError('unauthenticated', message);
    }
    this.#failed.check(address);
    if (this.#isOperator(digest)) return 'operator';
    this.#failed.add(address);
    throw new AppError('unauthenticated', 'the key is not known here: wrong, rotated or revoked');
  }

  #isOperator(digest: Buffer): boolean {
    return this.#adminDigest !== undefined && timingSafeEqual(this.#adminDigest, digest);
  }
}

export const scopesAllowed: Record<Action, readonly Scope[]> = {
  ingest: ['ingest'],
  read: ['read', 'admin'],
  declare: ['ingest', 'admin'],
  decide: ['admin'],
  describe: ['admin'],
};
