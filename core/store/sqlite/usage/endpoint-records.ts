import type { Database, Statement } from '../database.ts';
import { addFacts, type EndpointFacts } from './endpoint-facts.ts';

/** The facts' columns of the endpoint table. */
export const factColumns =
  'first_call_ms, last_call_ms, lifetime_calls, lifetime_errors, last_callers, unseen_calls, unseen_errors, sampled_ms';

export interface FactsRow {
  first_call_ms: number | null;
  last_call_ms: number | null;
  lifetime_calls: number;
  lifetime_errors: number;
  last_callers: string;
  unseen_calls: number;
  unseen_errors: number;
  sampled_ms: number | null;
}

export function factsOfRow(row: FactsRow): EndpointFacts {
  return {
    firstCallMs: row.first_call_ms ?? Number.POSITIVE_INFINITY,
    lastCallMs: row.last_call_ms ?? 0,
    calls: row.lifetime_calls,
    errors: row.lifetime_errors,
    callers: JSON.parse(row.last_callers) as number[],
    unseenCalls: row.unseen_calls,
    unseenErrors: row.unseen_errors,
    sampledMs: row.sampled_ms ?? 0,
  };
}

/** Reads and adds to the permanent facts in the endpoint table. */
export class EndpointRecords {
  readonly #read: Statement;
  readonly #write: Statement;
  readonly #writeWeighted: Statement;

  constructor(db: Database) {
    this.#read = db.prepare(`SELECT ${factColumns} FROM endpoint WHERE id = ?`);
    this.#write = db.prepare(
      'UPDATE endpoint SET first_call_ms = ?, last_call_ms = ?, lifetime_calls = ?, lifetime_errors = ?, last_callers = ? WHERE id = ?',
    );
    this.#writeWeighted = db.prepare(
      'UPDATE endpoint SET unseen_calls = ?, unseen_errors = ?, sampled_ms = ? WHERE id = ?',
    );
  }

  add(byEndpoint: ReadonlyMap<number, EndpointFacts>): void {
    for (const [endpoint, more] of byEndpoint) {
      const facts = factsOfRow(this.#read.get(endpoint) as FactsRow);
      addFacts(facts, more);
      const { firstCallMs, lastCallMs, calls, errors, callers } = facts;
      this.#write.run(firstCallMs, lastCallMs, calls, errors, JSON.stringify(callers), endpoint);
      if (more.sampledMs === 0) continue;
      const { unseenCalls, unseenErrors, sampledMs } = facts;
      this.#writeWeighted.run(unseenCalls, unseenErrors, sampledMs, endpoint);
    }
  }
}
