/**
 * Catches errors of this package: one that is thrown in a diagnostics_channel subscriber becomes an uncaught exception
 * and ends the process. Logs the first error of each kind.
 */
export class Guard {
  readonly #log: (line: string) => void;
  readonly #logged = new Set<string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Runs `work`. @returns undefined when it throws; `what` names it in the log line */
  run<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.report(what, error);
      return undefined;
    }
  }

  report(what: string, error: unknown): void {
    if (this.#logged.has(what)) return;
    this.#logged.add(what);
    this.#log(`${what} failed, the service is not affected: ${messageOf(error)}`);
  }
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
