import { answeredIndex, outcomeIndexes, outcomes } from '../../outcome.ts';
import { VarintReader } from '../../usage/varint.ts';
import { callerNumbers } from '../last-callers.ts';
import type { Database } from './database.ts';
import { encodeFacts } from './usage/encoded-facts.ts';
import { addFacts, type EndpointFacts, factsIn, noFacts } from './usage/endpoint-facts.ts';
import { coarsestMinutes } from './usage/levels.ts';
import { UsageEntries } from './usage/usage-entries.ts';

const tables = `
  -- Versions of services, by the text in \`origin\`.
  CREATE TABLE service_version (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  INSERT INTO service_version (name) SELECT DISTINCT service_version FROM origin;
  -- Spans by outcome (core/outcome.ts), and of bots; what they stood for besides, estimated.
  ALTER TABLE endpoint ADD COLUMN lifetime_answered INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN lifetime_refused INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN lifetime_missing INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN lifetime_failed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN bot_calls INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN unseen_answered REAL NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN unseen_refused REAL NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN unseen_missing REAL NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN unseen_failed REAL NOT NULL DEFAULT 0;
  -- As last_callers, of answered calls alone; null where they are last_callers.
  ALTER TABLE endpoint ADD COLUMN last_answered_callers TEXT;
  -- The newest answered call of an agent that is no bot.
  ALTER TABLE endpoint ADD COLUMN last_person_ms INTEGER;
  -- The newest call of which it is not recorded whether it was answered.
  ALTER TABLE endpoint ADD COLUMN unrecorded_ms INTEGER;
  -- JSON, latest first: version id, first and last call in milliseconds, calls, …
  ALTER TABLE endpoint ADD COLUMN versions TEXT NOT NULL DEFAULT '[]';
`;

/**
 * Migration: endpoints' records get what became of calls, and runs' facts the form that has it. Release 0.1.0 kept
 * calls by status, which tells the outcomes of all that its retention left. It did not keep which call was answered;
 * that follows where all calls of an endpoint were answered, or none. Everything else stays unrecorded, never guessed.
 */
export function recordOutcomes(db: Database): void {
  db.exec(tables);
  const isBot = db.prepare('SELECT bot FROM origin WHERE id = ?').pluck();
  const deduced = (facts: EndpointFacts, counts: readonly number[] | undefined) =>
    addDeduced(facts, counts, (origin) => isBot.get(origin) === 1);

  const runs = db.prepare('SELECT id, block, facts FROM usage_run').all() as OldRun[];
  const setFacts = db.prepare('UPDATE usage_run SET facts = ? WHERE id = ?');
  for (const { id, block, facts } of runs) {
    const byEndpoint = new Map<number, EndpointFacts>();
    addOldFacts(byEndpoint, facts);
    const counts = outcomesOf([block]);
    for (const [endpoint, own] of byEndpoint) deduced(own, counts.get(endpoint));
    setFacts.run(encodeFacts(byEndpoint), id);
  }

  // Every level holds all compacted usage; the coarsest is the smallest.
  const blocks = db.prepare('SELECT block FROM usage_block WHERE level_minutes = ?').pluck();
  const counts = outcomesOf(blocks.all(coarsestMinutes) as Buffer[]);
  const rows = db
    .prepare(
      'SELECT id, last_call_ms AS lastMs, lifetime_calls AS calls, last_callers AS callers, sampled_ms AS sampledMs FROM endpoint WHERE last_call_ms IS NOT NULL',
    )
    .all() as OldRow[];
  const setRow = db.prepare(
    `UPDATE endpoint SET last_answered_callers = ?, last_person_ms = ?, unrecorded_ms = ?,
      ${outcomes.map((outcome) => `lifetime_${outcome} = ?`).join(', ')} WHERE id = ?`,
  );
  for (const { id, lastMs, calls, callers, sampledMs } of rows) {
    const facts = noFacts();
    facts.lastCallMs = lastMs;
    facts.calls = calls;
    facts.callers = JSON.parse(callers) as number[];
    facts.sampledMs = sampledMs ?? 0;
    deduced(facts, counts.get(id));
    setRow.run(
      facts.answeredCallers ? '[]' : null,
      facts.personMs || null,
      facts.unrecordedMs || null,
      ...facts.outcomes,
      id,
    );
  }
}

interface OldRun {
  id: number;
  block: Buffer;
  facts: Buffer;
}

interface OldRow {
  id: number;
  lastMs: number;
  calls: number;
  callers: string;
  sampledMs: number | null;
}

/** @param counts of the endpoint's usage, by outcome: fewer than its calls where usage was deleted */
function addDeduced(
  facts: EndpointFacts,
  counts: readonly number[] | undefined,
  isBot: (origin: number) => boolean,
): void {
  facts.answeredCallers = [];
  facts.unrecordedMs = facts.lastCallMs;
  // Counts with weights are not counts of spans.
  if (facts.sampledMs > 0 || counts === undefined) return;
  facts.outcomes = [...counts];
  if (counts.reduce((sum, n) => sum + n, 0) !== facts.calls) return;
  if (counts[answeredIndex] === 0) {
    facts.unrecordedMs = 0;
  } else if (counts[answeredIndex] === facts.calls) {
    facts.answeredCallers = undefined;
    const { callers } = facts;
    for (let at = 0; at < callers.length && facts.personMs === 0; at += callerNumbers) {
      if (!isBot(callers[at + 1]!)) facts.personMs = callers[at + 2]!;
    }
    if (facts.personMs > 0) facts.unrecordedMs = 0;
  }
}

/** Calls by outcome of every endpoint in some blocks, those without weights. */
function outcomesOf(blocks: readonly Uint8Array[]): Map<number, number[]> {
  const entries = new UsageEntries();
  for (const block of blocks) entries.addBlock(block);
  const found = new Map<number, number[]>();
  const reader = new VarintReader();
  for (let i = 0; i < entries.length; i++) {
    const endpoint = entries.endpoint[i]!;
    let counts = found.get(endpoint);
    if (counts === undefined) {
      counts = outcomes.map(() => 0);
      found.set(endpoint, counts);
    }
    // A tally begins with its calls by status; one with weights begins with 0.
    reader.seek(entries.blocks[entries.block[i]!]!, entries.start[i]!);
    for (let left = reader.next(); left > 0; left--) {
      const status = reader.next();
      counts[outcomeIndexes[status]!]! += reader.next();
    }
  }
  return found;
}

const oldWeightedMark = 0;
const oldWeightedBytes = 1 + 8 + 8 + 8;

/** Reads facts as runs held them before: `[0, f64 unseen calls, f64 unseen errors, f64 sampled ms,] endpoint, last
 *  call, time since the first, calls, errors, callers`. */
function addOldFacts(byEndpoint: Map<number, EndpointFacts>, bytes: Uint8Array): void {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  while (reader.at < bytes.length) {
    const more = noFacts();
    if (bytes[reader.at] === oldWeightedMark) {
      const start = bytes.byteOffset + reader.at + 1;
      const view = new DataView(bytes.buffer, start, oldWeightedBytes - 1);
      more.unseenCalls = view.getFloat64(0, true);
      more.unseenErrors = view.getFloat64(8, true);
      more.sampledMs = view.getFloat64(16, true);
      reader.at += oldWeightedBytes;
    }
    const facts = factsIn(byEndpoint, reader.next());
    more.lastCallMs = reader.next();
    more.firstCallMs = more.lastCallMs - reader.next();
    more.calls = reader.next();
    more.errors = reader.next();
    for (let left = reader.next(); left > 0; left--) {
      more.callers.push(reader.next(), reader.next(), more.lastCallMs - reader.next());
    }
    addFacts(facts, more);
  }
}
