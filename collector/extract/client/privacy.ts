import { createHmac } from 'node:crypto';
import { replaceAddresses } from '../../../core/address-text.ts';
import type { ClientPrivacyMode } from '../../../core/config/config.ts';
import { AppError } from '../../../core/error.ts';
import type { Log } from '../../../core/log.ts';
import { canonicalAddress, networkOf } from './address.ts';
import { DayKey, destroyDayKey } from './day-key.ts';

export interface PrivacyOptions {
  mode: ClientPrivacyMode;
  /** Where the day's key is kept while addresses are hashed; undefined where the store has no such place. */
  keyPath: string | undefined;
  log: Log;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** How often the day is checked without requests. */
  checkMs?: number;
}

/**
 * Replaces client addresses before they are stored (ROLLCALL_CLIENT_PRIVACY).
 * @returns undefined when addresses are stored in full
 * @throws AppError `unavailable` when the day's key cannot be stored, `invalid` where it has no place
 */
export function openClientPrivacy(options: PrivacyOptions): ClientPrivacy | undefined {
  // A key of an earlier configuration could reveal the addresses that it hashed: it is destroyed.
  if (options.mode !== 'hash' && options.keyPath !== undefined) destroyDayKey(options.keyPath);
  return options.mode === 'full' ? undefined : new ClientPrivacy(options);
}

export class ClientPrivacy {
  readonly #mode: ClientPrivacyMode;
  readonly #log: Log;
  readonly #key: DayKey | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor({ mode, keyPath, log, now = Date.now, checkMs = 1_000 }: PrivacyOptions) {
    this.#mode = mode;
    this.#log = log;
    if (mode !== 'hash') return;
    if (keyPath === undefined) {
      throw new AppError(
        'invalid',
        'ROLLCALL_CLIENT_PRIVACY=hash is not there yet with ClickHouse, whose collectors would need one key: use truncate, none or full',
      );
    }
    this.#key = new DayKey(keyPath, now());
    this.#timer = setInterval(() => this.turn(now()), checkMs).unref();
  }

  /**
   * Increases when the key changes, so that the same address gets a new hash. Caches of hashed addresses must
   * then be cleared.
   */
  get generation(): number {
    return this.#key?.day ?? 0;
  }

  /** Call before every request: a key is not used after its day (UTC). */
  turn(nowMs: number): void {
    try {
      this.#key?.turn(nowMs);
      this.#failing = false;
    } catch (error) {
      // Tried again every second; addresses are hashed with the new key meanwhile.
      if (!this.#failing) this.#log.error({ err: error }, "yesterday's key is not overwritten yet");
      this.#failing = true;
    }
  }

  /**
   * @param address canonical
   * @returns '' for no client
   */
  shown(address: string): string {
    switch (this.#mode) {
      case 'hash':
        return hashed(address, this.#key!.key);
      case 'truncate':
        return networkOf(address);
      default:
        return '';
    }
  }

  /** The text without the addresses in it. */
  cleaned(text: string): string {
    return replaceAddresses(text, (address) => this.shown(canonicalAddress(address)) || hidden);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** For texts that must not change from day to day, such as routes, and for mode `none`. */
export const hidden = '{address}';

/** 64 bits: two of a million clients of a day collide with a probability of 3 in 100 million. */
function hashed(address: string, key: Buffer): string {
  return `h:${createHmac('sha256', key).update(address).digest('hex').slice(0, 16)}`;
}
