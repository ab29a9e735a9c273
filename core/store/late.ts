import type { CallReader, Snapshot } from './store.ts';

/**
 * A store that may not be there yet: its volume is not mounted, its disk is full. Every use tries to open it
 * until one attempt succeeds; until then each use fails with that attempt's error, `unavailable`.
 */
export class Retrying<T extends { close(): Promise<void> }> {
  readonly #open: () => Promise<T>;
  #opening: Promise<T> | undefined;

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  /** Uses at the same time share one attempt; the use after a failed attempt begins another. */
  get(): Promise<T> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }
}

/** A reader of a store that may not be there yet. */
export class RetryingReader implements CallReader {
  readonly #reader: Retrying<CallReader>;
  #opened: CallReader | undefined;

  constructor(open: () => Promise<CallReader>) {
    this.#reader = new Retrying(async () => {
      this.#opened = await open();
      return this.#opened;
    });
  }

  damagedRows(): number {
    return this.#opened?.damagedRows?.() ?? 0;
  }

  async snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return (await this.#reader.get()).snapshot(project, ask);
  }

  async check(): Promise<void> {
    await (await this.#reader.get()).check();
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}
