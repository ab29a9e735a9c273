import { type Outcome, outcomes } from '../../../outcome.ts';
import type { Database, Statement } from '../database.ts';
import { addFacts, type EndpointFacts } from './endpoint-facts.ts';

type OutcomeColumns = { [O in Outcome as `lifetime_${O}`]: number } & {
  [O in Outcome as `unseen_${O}`]: number;
};

export interface FactsRow extends OutcomeColumns {
  first_call_ms: number | null;
  last_call_ms: number | null;
  lifetime_calls: number;
  lifetime_errors: number;
  bot_calls: number;
  last_callers: string;
  last_answered_callers: string | null;
  last_person_ms: number | null;
  unrecorded_ms: number | null;
  versions: string;
  unseen_calls: number;
  unseen_errors: number;
  sampled_ms: number | null;
}

const plainColumns = [
  'first_call_ms',
  'last_call_ms',
  'lifetime_calls',
  'lifetime_errors',
  'bot_calls',
  'last_callers',
  'last_answered_callers',
  'last_person_ms',
  'unrecorded_ms',
  'versions',
  ...outcomes.map((outcome) => `lifetime_${outcome}` as const),
] as const;

/** 0 without weights. */
const weightColumns = [
  'unseen_calls',
  'unseen_errors',
  'sampled_ms',
  ...outcomes.map((outcome) => `unseen_${outcome}` as const),
] as const;

/** The facts' columns of the endpoint table. */
export const factColumns = [...plainColumns, ...weightColumns].join(', ');

export function factsOfRow(row: FactsRow): EndpointFacts {
  const { last_answered_callers: answeredCallers } = row;
  return {
    firstCallMs: row.first_call_ms ?? Number.POSITIVE_INFINITY,
    lastCallMs: row.last_call_ms ?? 0,
    calls: row.lifetime_calls,
    errors: row.lifetime_errors,
    outcomes: outcomes.map((outcome) => row[`lifetime_${outcome}`]),
    botCalls: row.bot_calls,
    callers: numbersOf(row.last_callers),
    answeredCallers: answeredCallers === null ? undefined : numbersOf(answeredCallers),
    personMs: row.last_person_ms ?? 0,
    unrecordedMs: row.unrecorded_ms ?? 0,
    versions: numbersOf(row.versions),
    unseenCalls: row.unseen_calls,
    unseenErrors: row.unseen_errors,
    unseenOutcomes: outcomes.map((outcome) => row[`unseen_${outcome}`]),
    sampledMs: row.sampled_ms ?? 0,
  };
}

function numbersOf(json: string): number[] {
  return json === '[]' ? [] : (JSON.parse(json) as number[]);
}

/** Reads and adds to the permanent facts in the endpoint table. */
export class EndpointRecords {
  readonly #read: Statement;
  readonly #write: Statement;
  readonly #writeWeighted: Statement;

  constructor(db: Database) {
    const update = (columns: readonly string[]) =>
      db.prepare(
        `UPDATE endpoint SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
      );
    this.#read = db.prepare(`SELECT ${factColumns} FROM endpoint WHERE id = ?`);
    this.#write = update(plainColumns);
    this.#writeWeighted = update(weightColumns);
  }

  add(byEndpoint: ReadonlyMap<number, EndpointFacts>): void {
    for (const [endpoint, more] of byEndpoint) {
      const facts = factsOfRow(this.#read.get(endpoint) as FactsRow);
      addFacts(facts, more);
      this.#write.run(
        facts.firstCallMs,
        facts.lastCallMs,
        facts.calls,
        facts.errors,
        facts.botCalls,
        JSON.stringify(facts.callers),
        facts.answeredCallers ? JSON.stringify(facts.answeredCallers) : null,
        facts.personMs || null,
        facts.unrecordedMs || null,
        JSON.stringify(facts.versions),
        ...facts.outcomes,
        endpoint,
      );
      if (more.sampledMs === 0) continue;
      const { unseenCalls, unseenErrors, unseenOutcomes, sampledMs } = facts;
      this.#writeWeighted.run(unseenCalls, unseenErrors, sampledMs, ...unseenOutcomes, endpoint);
    }
  }
}
