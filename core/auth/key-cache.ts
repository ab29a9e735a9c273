import { timingSafeEqual } from 'node:crypto';
import { asAppError } from '../error.ts';
import { limits } from '../limits.ts';
import type { ActiveKey, KeyStore, KeyUse } from '../store/keys.ts';

/**
 * All good keys, in the memory of one process. The store's version is asked at most every
 * `limits.keyCheckMs`, when a key is looked up: a key revoked by any process is refused after that time,
 * and nothing runs while nobody asks. When a key was used is written behind, once a minute a key.
 */
export class KeyCache {
  readonly #store: () => Promise<KeyStore>;
  readonly #now: () => number;
  /** By the first 8 bytes of the digest: what a lookup's time could tell says nothing of the rest. */
  #keys = new Map<bigint, KnownKey>();
  #version: number | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;
  readonly #used = new Map<string, KeyUse>();
  #writing: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param now milliseconds since the epoch */
  constructor(store: () => Promise<KeyStore>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * The good key of this digest, if there is one.
   * @param isNewPossible looks into the store again when there is none: a key works as soon as it is made
   * @throws AppError `unavailable` when the store cannot say which keys are good
   */
  async find(digest: Buffer, isNewPossible: boolean): Promise<ActiveKey | undefined> {
    const ageMs = this.#now() - this.#checkedMs;
    const isFresh = ageMs >= 0 && ageMs < limits.keyCheckMs;
    if (!isFresh) await this.#check();
    let key = this.#lookUp(digest);
    if (key === undefined && isFresh && isNewPossible) {
      await this.#check();
      key = this.#lookUp(digest);
    }
    if (key !== undefined) this.#use(key);
    return key;
  }

  /** Writes down when keys were used. The store is its owner's to close, after this. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#writing);
    await this.#writeUses();
  }

  #lookUp(digest: Buffer): KnownKey | undefined {
    const key = this.#keys.get(digest.readBigUInt64LE());
    return key !== undefined && timingSafeEqual(key.digest, digest) ? key : undefined;
  }

  #check(): Promise<void> {
    this.#checking ??= this.#checkNow().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #checkNow(): Promise<void> {
    const startedMs = this.#now();
    const store = await this.#store();
    if ((await store.version()) !== this.#version) {
      const { version, keys } = await store.activeKeys();
      const before = this.#keys;
      this.#keys = new Map();
      for (const key of keys) {
        const place = Buffer.from(key.digest).readBigUInt64LE();
        const notedS = before.get(place)?.notedS ?? Number.NEGATIVE_INFINITY;
        this.#keys.set(place, { ...key, notedS: Math.max(notedS, key.lastUsedS ?? notedS) });
      }
      this.#version = version;
    }
    this.#checkedMs = startedMs;
  }

  #use(key: KnownKey): void {
    const usedS = Math.floor(this.#now() / 1000);
    if (usedS - key.notedS < limits.keyUseS) return;
    key.notedS = usedS;
    this.#used.set(key.id, { project: key.project, id: key.id, usedS });
    this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#writing !== undefined || this.#closed) return;
    this.#writing = setTimeout(() => {
      this.#writing = undefined;
      this.#writeUses();
    }, writeAfterMs).unref();
  }

  /** What cannot be written now is tried again: nobody waits for it. */
  async #writeUses(): Promise<void> {
    if (this.#used.size === 0) return;
    const uses = [...this.#used.values()];
    this.#used.clear();
    try {
      await (await this.#store()).touch(uses);
    } catch (error) {
      if (asAppError(error).code !== 'unavailable') throw error;
      for (const use of uses) if (!this.#used.has(use.id)) this.#used.set(use.id, use);
      this.#writeSoon();
    }
  }
}

interface KnownKey extends ActiveKey {
  /** The last use that is written or about to be. */
  notedS: number;
}

/** Uses of many keys are one transaction. */
const writeAfterMs = 1_000;
