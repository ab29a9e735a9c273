import type { CallContext } from '../../../call.ts';
import { type GlobMatcher, globMatcher } from '../../../glob.ts';
import type { Database } from '../database.ts';

/** Consumers whose calls keep no endpoint alive (ROLLCALL_IGNORE_CONSUMERS). */
export class IgnoredConsumers {
  readonly #matchers: readonly GlobMatcher[];

  /** @param globs over consumer names; over the agent's product where a call names no consumer */
  constructor(globs: readonly string[]) {
    this.#matchers = globs.map(globMatcher);
  }

  includes({ consumer, agent }: Pick<CallContext, 'consumer' | 'agent'>): boolean {
    const name = consumer || agent;
    return name !== '' && this.#matchers.some((matches) => matches(name));
  }

  /**
   * Marks the stored consumers. It concerns calls that are rolled up from now on: the permanent use of an endpoint
   * does not hold the consumers of its past.
   */
  mark(db: Database): void {
    const stored = db.prepare(
      'SELECT consumer, agent, max(ignored) FROM origin GROUP BY consumer, agent',
    );
    const set = db.prepare('UPDATE origin SET ignored = ? WHERE consumer = ? AND agent = ?');
    let isChanged = false;
    for (const [consumer, agent, before] of stored.raw().all() as [string, string, number][]) {
      const ignored = this.includes({ consumer, agent }) ? 1 : 0;
      if (ignored === before) continue;
      set.run(ignored, consumer, agent);
      isChanged = true;
    }
    // Readers then read again the origin rows that they hold (reader/dimension-cache.ts).
    if (isChanged) {
      db.exec(
        "INSERT INTO meta VALUES ('addresses_forgotten', 1) ON CONFLICT DO UPDATE SET value = value + 1",
      );
    }
  }
}
