import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives memory back while the process has more than its part. V8 lets a heap grow to its bound before it collects all of
 * it, and counts neither the heaps of other threads nor what lies outside of heaps.
 */
export class MemoryPressure {
  readonly #fromBytes: number;
  readonly #collect = wholeCollection();
  #collectedMs = Number.NEGATIVE_INFINITY;

  constructor(fromBytes: number) {
    this.#fromBytes = fromBytes;
  }

  /** Called between answers. @param drop gives up what can be computed again */
  relieve(drop: () => void): void {
    const nowMs = performance.now();
    if (nowMs - this.#collectedMs < leastMs || process.memoryUsage.rss() < this.#fromBytes) return;
    drop();
    this.#collect();
    this.#collectedMs = performance.now();
  }
}

/** A major GC of 200 MiB in use takes about 0.15 s: a tenth of the time at most. */
const leastMs = 2_000;

function wholeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
