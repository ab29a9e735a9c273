import { randomFillSync } from 'node:crypto';

const traceIdBytes = 16;
const spanIdBytes = 8;
const idBytes = traceIdBytes + spanIdBytes;
const drawnAtOnce = 256;

/** A trace id of 16 bytes at `at`, followed by a span id of 8. */
export interface SpanIds {
  readonly bytes: Buffer;
  readonly at: number;
}

/** Random ids. The bytes of 256 pairs are drawn at once, which saves a system call for each. */
export class IdSource {
  #bytes = Buffer.alloc(0);
  #next = 0;

  draw(): SpanIds {
    if (this.#next === this.#bytes.length) {
      // A new buffer: spans that are not encoded yet still refer to the old one.
      this.#bytes = randomFillSync(Buffer.allocUnsafeSlow(drawnAtOnce * idBytes));
      this.#next = 0;
    }
    const at = this.#next;
    this.#next += idBytes;
    return { bytes: this.#bytes, at };
  }
}

export function hexIds({ bytes, at }: SpanIds): { traceId: string; spanId: string } {
  const spanAt = at + traceIdBytes;
  return {
    traceId: bytes.toString('hex', at, spanAt),
    spanId: bytes.toString('hex', spanAt, spanAt + spanIdBytes),
  };
}
