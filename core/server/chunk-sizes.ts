import { AppError } from '../error.ts';
import { limits } from '../limits.ts';

/** Counts the pieces in which a body comes: each tiny one costs a hundred times its bytes. */
export class ChunkSizes {
  #chunks = 0;
  #bytes = 0;

  /** @throws AppError `invalid` for pieces that are tiny on average */
  add(bytes: number): void {
    this.#chunks += 1;
    this.#bytes += bytes;
    const { bodyChunks, chunkBytesLeast } = limits;
    if (this.#chunks < bodyChunks || this.#bytes >= this.#chunks * chunkBytesLeast) return;
    throw new AppError(
      'invalid',
      `the body comes in ${this.#chunks} chunks of ${Math.round(this.#bytes / this.#chunks)} bytes on average; at least ${chunkBytesLeast} are asked`,
    );
  }
}
