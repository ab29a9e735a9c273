import { Retrying } from '../core/store/late.ts';
import type { CallReader, Snapshot } from '../core/store/store.ts';

/** A reader of a store that may not be there yet. */
export class RetryingReader implements CallReader {
  readonly #late: Retrying<CallReader>;

  constructor(open: () => Promise<CallReader>) {
    this.#late = new Retrying(open);
  }

  async snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return (await this.#late.get()).snapshot(project, ask);
  }

  async check(): Promise<void> {
    await (await this.#late.get()).check();
  }

  async close(): Promise<void> {
    await this.#late.close();
  }
}
