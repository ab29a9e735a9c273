/**
 * Limits a message to one an hour per client: that it sends signals which are not stored. SDKs send metrics and
 * logs by default and write every such message into the application's log (docs/conformance.md H7).
 */
export class LogThrottle {
  readonly #now: () => number;
  /** Time of the last message by client, in insertion order: the oldest is first. */
  readonly #toldMs = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** True at most once an hour for the same client and subject. */
  due(client: string, subject: string): boolean {
    const key = `${subject} ${client}`;
    const nowMs = this.#now();
    const toldMs = this.#toldMs.get(key);
    if (toldMs !== undefined && nowMs - toldMs < hourMs) return false;
    this.#toldMs.delete(key);
    if (this.#toldMs.size >= clientsMost) this.#toldMs.delete(this.#toldMs.keys().next().value!);
    this.#toldMs.set(key, nowMs);
    return true;
  }
}

const hourMs = 3_600_000;
/** Beyond this the oldest client is evicted, and may get its next message too early. */
const clientsMost = 10_000;
