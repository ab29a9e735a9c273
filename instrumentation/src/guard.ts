/**
 * Nothing of ours may throw into the app: a subscriber that throws ends the process (diagnostics_channel
 * reports it as an uncaught exception). The first mistake of each kind is told, others are not.
 */
export class Guard {
  readonly #log: (line: string) => void;
  readonly #told = new Set<string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Runs `work`; what it throws is told once as a mistake of `what`. */
  run<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.tell(what, error);
      return undefined;
    }
  }

  tell(what: string, error: unknown): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#log(`${what} failed, the service is not affected: ${messageOf(error)}`);
  }
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
