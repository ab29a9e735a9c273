import type { CallReader, Snapshot } from '../core/store/store.ts';

/**
 * A reader of a store that may not be there yet: the volume is not mounted, the disk is full. Whoever
 * asks tries again to open it; until that works every answer is the reason, `unavailable`.
 */
export class LateReader implements CallReader {
  #open: () => Promise<CallReader>;
  #opening: Promise<CallReader> | undefined;

  constructor(open: () => Promise<CallReader>) {
    this.#open = open;
  }

  async snapshot<T>(project: string, ask: (snapshot: Snapshot) => T | Promise<T>): Promise<T> {
    return (await this.#reader()).snapshot(project, ask);
  }

  async check(): Promise<void> {
    await (await this.#reader()).check();
  }

  async close(): Promise<void> {
    const reader = await this.#opening?.catch(() => undefined);
    await reader?.close();
  }

  /** One attempt at a time, shared by all who wait; a failed one is forgotten. */
  #reader(): Promise<CallReader> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }
}
