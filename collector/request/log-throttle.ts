/**
 * Tells each client once an hour what it sends in vain. An SDK writes every such message into its
 * application's log, and sends metrics and logs by default: more often would be noise (docs/conformance.md H7).
 */
export class LogThrottle {
  readonly #now: () => number;
  /** When each was told last; a map keeps the order of insertion, so the oldest is first. */
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
/** Beyond it the oldest is forgotten, and may be told again too early. */
const clientsMost = 10_000;
