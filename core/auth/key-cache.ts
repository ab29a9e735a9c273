import { timingSafeEqual } from 'node:crypto';
import { asAppError } from '../error.ts';
import { limits } from '../limits.ts';
import type { ActiveKey, KeyStore, KeyUse } from '../store/keys.ts';

/**
 * All valid keys, in the memory of one process. A lookup checks the store's version when the last check is
 * `limits.keyCheckMs` old, so a key that any process revoked is refused after that time; without requests nothing
 * runs. The last use of a key is written later, at most once a minute per key.
 */
export class KeyCache {
  readonly #store: () => Promise<KeyStore>;
  readonly #now: () => number;
  /** By the first 8 bytes of the digest: the time of a lookup reveals nothing about the other 24. */
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
   * The valid key with this digest, if any.
   * @param isNewPossible reads the store again when none is found, so that a new key works at once
   * @throws AppError `unavailable` when the store cannot be read
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

  /** Writes pending uses of keys. The caller closes the store afterwards. */
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

  /** Writes pending uses; a failed write is tried again later. No request waits for it. */
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
  /** The last use that is written or pending. */
  notedS: number;
}

/** Uses of many keys are one transaction. */
const writeAfterMs = 1_000;
