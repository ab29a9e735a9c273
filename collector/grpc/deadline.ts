import { limits } from '../../core/limits.ts';
import { grpcCode, RpcError } from './status.ts';

/**
 * The deadline of one call: the sender's grpc-timeout, and until its message has arrived at most
 * `limits.requestMs`. Notifies one waiter, once.
 */
export class Deadline {
  readonly #startMs = performance.now();
  readonly #toldMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (late: RpcError) => void = () => {};
  #late: RpcError | undefined;

  /** @param header grpc-timeout; one that cannot be read counts for nothing */
  constructor(header: string | string[] | undefined) {
    this.#toldMs = timeoutMs(header);
    // A deadline below 1 ms has already passed: fail now, a timer would fire 1 ms late.
    if (this.#toldMs !== undefined && this.#toldMs < 1) this.#late = over();
    this.#timer = this.#after(Math.min(this.#toldMs ?? limits.requestMs, limits.requestMs));
  }

  /** Sets the waiter; notifies it at once when the deadline has passed. */
  watch(waiting: (late: RpcError) => void): void {
    this.#waiting = waiting;
    if (this.#late !== undefined) waiting(this.#late);
  }

  /** The message is there: what remains is the sender's own time. */
  arrived(): void {
    const toldMs = this.#toldMs ?? Number.POSITIVE_INFINITY;
    if (toldMs <= limits.requestMs || this.#late !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#toldMs === undefined) return;
    this.#timer = this.#after(this.#toldMs - (performance.now() - this.#startMs));
  }

  /** The result of the work, or a rejection when the time is over before it. */
  during<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.watch(reject);
      work.then(resolve, reject);
    });
  }

  /** The call is answered; a peer that does not fetch the answer in its time, or in ours, is given up. */
  answered(abandon: () => void): void {
    this.#waiting = abandon;
    if (this.#timer === undefined || this.#late !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = this.#after(limits.requestMs);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#late = over();
      this.#waiting(this.#late);
    }, ms);
  }
}

function over(): RpcError {
  return new RpcError(grpcCode.deadlineExceeded, 'the time given to the call is over');
}

/** `100m` is 100 milliseconds. @returns undefined when there is none that can be read */
function timeoutMs(header: string | string[] | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  if (digits === undefined) return undefined;
  return Math.min(Number(digits) * unitMs[unit!]!, timerMsMost);
}

const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Beyond it Node's timers fire at once. */
const timerMsMost = 2 ** 31 - 1;
