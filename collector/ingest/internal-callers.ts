import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../../core/limits.ts';
import type {
  InternalCall,
  InternalCallerStore,
  InternalCallLink,
} from '../../core/store/callers/internal-callers.ts';
import type { LinkedCalls } from '../extract/callers/internal-callers.ts';

export interface InternalCallRecorderOptions {
  /** @throws AppError `unavailable` */
  store: () => Promise<Pick<InternalCallerStore, 'add'>>;
  /** Milliseconds since the epoch. */
  now: () => number;
  onFailure: (error: unknown) => void;
}

/**
 * Counts calls between services and writes the counts to the store every `limits.internalCallsEveryMs`. Requests never
 * wait for it. Counts of a write that failed are written with the next; counts past `limits.internalCallLinks` are left
 * out: then the caller of these calls is not known.
 */
export class InternalCallRecorder {
  readonly #options: InternalCallRecorderOptions;
  #counts = new Map<InternalCallLink, LinkedCalls>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: InternalCallRecorderOptions) {
    this.#options = options;
  }

  add(found: readonly LinkedCalls[]): void {
    for (const { link, calls, errors, named, seen } of found) {
      const known = this.#counts.get(link);
      if (known !== undefined) {
        known.calls += calls;
        known.errors += errors;
        known.named += named;
        known.seen += seen;
      } else if (this.#counts.size < limits.internalCallLinks) {
        this.#counts.set(link, { link, calls, errors, named, seen });
      }
    }
    this.#schedule();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#counts.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#writing = this.#write().finally(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    }, limits.internalCallsEveryMs);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    const counts = [...this.#counts.values()];
    this.#counts = new Map();
    let written = 0;
    try {
      while (written < counts.length) {
        const store = await this.#options.store();
        const some = counts.slice(written, written + limits.internalCallsAtOnce);
        await store.add(some.map(internalCall), this.#options.now());
        written += some.length;
        await nextTurn();
      }
    } catch (error) {
      this.#options.onFailure(error);
      this.add(counts.slice(written));
    }
  }
}

function internalCall({ link, calls, errors, named, seen }: LinkedCalls): InternalCall {
  return { ...link, calls, errors, named, seen };
}
