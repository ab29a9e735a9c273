import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../error.ts';
import { digestOf, type Scope } from '../key.ts';
import type { ActiveKey, KeyStore } from '../store/keys.ts';
import { type Credentials, keyTextOf } from './credentials.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { KeyCache } from './key-cache.ts';

/** Decides who may do what in which project: one decision for every door and transport. */
export interface Authorizer {
  /**
   * The project that a request is for.
   * @throws AppError `unauthenticated` without a good key, `forbidden` when it may not do this,
   *   `throttled` after too many wrong ones, `unavailable` when the store cannot say
   */
  project(credentials: Credentials, deed: Deed): Promise<string>;
  /** Who asks to administer projects or keys. @throws as `project`; AppError `conflict` with authentication off */
  administrator(credentials: Credentials): Promise<Administrator>;
  /** The store is its owner's to close, after this. */
  close(): Promise<void>;
}

/** `declare`: say which routes a service has. The service itself may, which ingests. */
export type Deed = 'ingest' | 'read' | 'declare';

/** Whoever holds ROLLCALL_ADMIN_KEY is the operator, of every project; others administer their key's. */
export type Administrator = { isOperator: true } | { isOperator: false; project: string };

/** The project of a Rollcall without keys. */
export const defaultProject = 'default';

/** Everybody may do everything in the one project there is. */
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
  return auth === 'off' ? openAuthorizer : new KeyGate(new KeyCache(keys, now), adminKey, now);
}

class KeyGate implements Authorizer {
  readonly #ring: KeyCache;
  readonly #adminDigest: Buffer | undefined;
  readonly #failed: FailedAttempts;

  constructor(ring: KeyCache, adminKey: string | undefined, now: () => number) {
    this.#ring = ring;
    this.#adminDigest = adminKey === undefined ? undefined : digestOf(adminKey);
    this.#failed = new FailedAttempts(now);
  }

  async project(credentials: Credentials, deed: Deed): Promise<string> {
    const key = await this.#identify(credentials);
    if (key === 'operator') {
      const message = `ROLLCALL_ADMIN_KEY belongs to no project: it creates projects and keys; ${deed} with a key of a project`;
      throw new AppError('forbidden', message);
    }
    if (allowed[deed].includes(key.scope)) return key.project;
    const message = `a key with scope ${key.scope} may not ${deed}; scope ${allowed[deed].join(' or ')} may`;
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
   * Keys of the store are looked up first, always: they cannot be guessed, and a good one must pass whatever
   * else its address sends. ROLLCALL_ADMIN_KEY was chosen by a person, so it is not tried beyond the bound.
   */
  async #identify(credentials: Credentials): Promise<ActiveKey | 'operator'> {
    const { address, keyDigest } = credentials;
    const digest = keyDigest ?? digestOf(keyTextOf(credentials));
    const key = await this.#ring.find(digest, !this.#failed.isSpent(address));
    if (key !== undefined) return key;
    // It was good when the session began: nobody is guessing.
    if (keyDigest !== undefined) {
      const message = 'the key of this session was rotated or revoked: sign in again';
      throw new AppError('unauthenticated', message);
    }
    this.#failed.check(address);
    if (this.#adminDigest !== undefined && timingSafeEqual(this.#adminDigest, digest)) {
      return 'operator';
    }
    this.#failed.add(address);
    throw new AppError('unauthenticated', 'the key is not known here: wrong, rotated or revoked');
  }
}

const allowed: Record<Deed, readonly Scope[]> = {
  ingest: ['ingest'],
  read: ['read', 'admin'],
  declare: ['ingest', 'admin'],
};
