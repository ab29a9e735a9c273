/**
 * A store that may not be there yet: the volume is not mounted, the disk is full. Whoever asks tries
 * again to open it; until that works every answer is the reason, `unavailable`.
 */
export class Retrying<T extends { close(): Promise<void> }> {
  #open: () => Promise<T>;
  #opening: Promise<T> | undefined;

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  /** One attempt at a time, shared by all who wait; a failed one is forgotten. */
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
