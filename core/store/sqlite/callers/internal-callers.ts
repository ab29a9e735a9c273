import { limits, specialRoutes } from '../../../limits.ts';
import { dayS, hourS, type Window } from '../../../window.ts';
import type {
  InternalCall,
  InternalCallEvidence,
  InternalCallerStore,
  InternalCallerUsage,
} from '../../callers/internal-callers.ts';
import type { Database, Statement } from '../database.ts';
import { openRecords, type RowTransactions } from '../short-transactions.ts';

/**
 * Counts of calls between services in the store's file: a row for each spelling of an endpoint, hour (or day), caller
 * and kind of evidence.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteInternalCallers(path: string): Promise<InternalCallerStore> {
  return openRecords(path, SqliteInternalCallers, 'internal callers');
}

const hoursPerDay = dayS / hourS;
const evidence: Record<InternalCallEvidence, number> = { trace: 0, peer: 1 };

export class SqliteInternalCallers implements InternalCallerStore {
  readonly #rows: RowTransactions;
  readonly #sql;
  /** The day of the last call of `add`: old rows are deleted when it changes. */
  #day = 0;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = statements(db);
  }

  async add(calls: readonly InternalCall[], nowMs: number): Promise<void> {
    const day = Math.floor(nowMs / 1000 / dayS);
    const hoursFrom = (day - limits.internalCallerHourDays) * hoursPerDay;
    await this.#rows.write(() => {
      if (day !== this.#day) this.#sql.deleteOld.run();
      for (const call of calls) this.#add(call, hoursFrom);
    });
    this.#day = day;
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #add(call: InternalCall, hoursFrom: number): void {
    const { project, service, environment, method, route } = call;
    const sql = this.#sql;
    const endpoint = sql.endpoint.get(project, service, environment, method, route) as
      | { row: number; projectId: number }
      | undefined;
    if (endpoint === undefined) return;
    const { row, projectId } = endpoint;
    const hour = call.hour >= hoursFrom ? call.hour : call.hour - (call.hour % hoursPerDay);
    let caller = this.#caller(projectId, call.caller, call.callerEnvironment);
    if (sql.has.get(row, hour, caller) === undefined) {
      if ((sql.callers.get(row, hour) as number) >= limits.internalCallersPerEndpoint) {
        caller = this.#caller(projectId, specialRoutes.other, '');
      }
      sql.addUp.run(row, hoursFrom);
      sql.deleteHours.run(row, hoursFrom);
    }
    const { calls, errors, named, seen, knownBy } = call;
    sql.add.run(row, hour, caller, evidence[knownBy], calls, errors, named, seen);
  }

  #caller(projectId: number, service: string, environment: string): number {
    this.#sql.addCaller.run(projectId, service, environment);
    return this.#sql.caller.get(projectId, service, environment) as number;
  }
}

const addUpRow = `ON CONFLICT DO UPDATE SET
  calls = calls + excluded.calls, errors = errors + excluded.errors, named = named + excluded.named,
  seen = seen + excluded.seen`;

function statements(db: Database) {
  return {
    endpoint: db.prepare(
      `SELECT e.id AS row, s.project_id AS projectId FROM project p
       JOIN service s ON s.project_id = p.id JOIN endpoint e ON e.service_id = s.id
       WHERE p.name = ? AND s.name = ? AND s.environment = ? AND e.method = ? AND e.route = ?`,
    ),
    addCaller: db.prepare(
      'INSERT OR IGNORE INTO internal_caller (project_id, service, environment) VALUES (?, ?, ?)',
    ),
    caller: db
      .prepare(
        'SELECT id FROM internal_caller WHERE project_id = ? AND service = ? AND environment = ?',
      )
      .pluck(),
    has: db.prepare(
      'SELECT 1 FROM internal_call WHERE endpoint_id = ? AND hour = ? AND caller_id = ? LIMIT 1',
    ),
    callers: db
      .prepare(
        'SELECT count(DISTINCT caller_id) FROM internal_call WHERE endpoint_id = ? AND hour = ?',
      )
      .pluck(),
    add: db.prepare(
      `INSERT INTO internal_call (endpoint_id, hour, caller_id, evidence, calls, errors, named, seen)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ${addUpRow}`,
    ),
    addUp: db.prepare(
      `INSERT INTO internal_call (endpoint_id, hour, caller_id, evidence, calls, errors, named, seen)
       SELECT endpoint_id, hour - hour % ${hoursPerDay}, caller_id, evidence, sum(calls), sum(errors), sum(named), sum(seen)
       FROM internal_call WHERE endpoint_id = ? AND hour < ? AND hour % ${hoursPerDay} <> 0
       GROUP BY 2, caller_id, evidence ${addUpRow}`,
    ),
    deleteHours: db.prepare(
      `DELETE FROM internal_call WHERE endpoint_id = ? AND hour < ? AND hour % ${hoursPerDay} <> 0`,
    ),
    deleteOld: db.prepare(
      "DELETE FROM internal_call WHERE hour < (SELECT value / 60 FROM meta WHERE key = 'days_from')",
    ),
  } satisfies Record<string, Statement>;
}

/**
 * The callers of endpoints, most calls first.
 * @param keys by row of a spelling: the first row of its endpoint; 0 where the endpoint is not selected
 * @param window of `internalCallerWindow`
 */
export function internalCallersOf(
  db: Database,
  keys: Int32Array,
  window: Window,
): InternalCallerUsage[] {
  const found = new Map<number, { usage: InternalCallerUsage; rows: Set<number> }>();
  const read = db
    .kept(
      `SELECT caller_id, evidence, sum(calls), sum(errors), sum(named), sum(seen), min(hour), max(hour)
       FROM internal_call WHERE endpoint_id = ? AND hour >= ? AND hour < ? GROUP BY caller_id, evidence`,
    )
    .raw();
  const name = db.kept('SELECT service, environment FROM internal_caller WHERE id = ?');
  const [fromHour, toHour] = [window.fromS / hourS, window.toS / hourS];
  for (let row = 1; row < keys.length; row += 1) {
    if (keys[row] === 0) continue;
    for (const values of read.all(row, fromHour, toHour) as number[][]) {
      const [caller, by, calls, errors, named, seen, first, last] = values as Sums;
      let known = found.get(caller);
      if (known === undefined) {
        const who = name.get(caller) as { service: string; environment: string };
        const usage = { ...who, ...nothing, firstMs: Number.POSITIVE_INFINITY };
        known = { usage, rows: new Set() };
        found.set(caller, known);
      }
      const { usage, rows } = known;
      if (by === evidence.trace) usage.tracedCalls += calls;
      else usage.peerCalls += calls;
      usage.errors += errors;
      usage.namedCalls += named;
      usage.seenCalls += seen;
      usage.firstMs = Math.min(usage.firstMs, first * hourS * 1000);
      usage.lastMs = Math.max(usage.lastMs, last * hourS * 1000);
      rows.add(keys[row]!);
    }
  }
  const callsOf = ({ tracedCalls, peerCalls }: InternalCallerUsage): number =>
    tracedCalls + peerCalls;
  return [...found.values()]
    .map(({ usage, rows }) => ({ ...usage, endpoints: rows.size }))
    .sort((a, b) => callsOf(b) - callsOf(a) || (a.service < b.service ? -1 : 1));
}

type Sums = [
  caller: number,
  evidence: number,
  calls: number,
  errors: number,
  named: number,
  seen: number,
  firstHour: number,
  lastHour: number,
];

const nothing = {
  tracedCalls: 0,
  peerCalls: 0,
  errors: 0,
  namedCalls: 0,
  seenCalls: 0,
  endpoints: 0,
  lastMs: 0,
};
