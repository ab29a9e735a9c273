import { randomFillSync } from 'node:crypto';

const traceIdBytes = 16;
const spanIdBytes = 8;
const idBytes = traceIdBytes + spanIdBytes;
const drawnAtOnce = 256;

/** Where a trace's id stands, and right after it a span's. */
export interface SpanIds {
  readonly bytes: Buffer;
  readonly at: number;
}

/** Ids of spans; the random bytes of many are drawn at once, which spares a call of the system for each. */
export class IdSource {
  #bytes = Buffer.alloc(0);
  #next = 0;

  draw(): SpanIds {
    if (this.#next === this.#bytes.length) {
      // Not the same memory again: spans that wait to be written still have their ids there.
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
