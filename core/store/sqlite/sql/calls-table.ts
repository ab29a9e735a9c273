import { commitName } from '../calls/call-tables.ts';
import { decodeCommit } from '../calls/commit-columns.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import { WholeBlocks } from '../calls/whole-block.ts';
import { Database, type SqlValue } from '../database.ts';
import { DamagedError } from '../sealed.ts';

/** Columns of the table `calls`; docs/sql.md says what they hold. */
const columns = [
  'id',
  'ended_at',
  'project',
  'service',
  'environment',
  'service_version',
  'method',
  'route',
  'status',
  'duration_ms',
  'client',
  'consumer',
  'agent',
  'bot',
  'error_type',
  'request_bytes',
  'response_bytes',
  'trace_id',
  'weight',
];

/** Rows of release 0.1.0 read at once. */
const oldRowsAtOnce = 10_000;

/**
 * Defines the table `calls` on a connection: every raw call with its words spelled out, oldest id first. Calls in
 * damaged blocks are left out.
 * @param tell takes one line for each damaged block
 */
export function defineCallsTable(db: Database, tell: (line: string) => void): void {
  db.defineTable('rollcall_calls', columns, () => rowsOf(db.path, tell));
  // In the schema `temp`, which stands before the file's own view of that name.
  db.exec('CREATE VIRTUAL TABLE temp.calls USING rollcall_calls');
}

type Row = SqlValue[];

function* rowsOf(path: string, tell: (line: string) => void): Generator<Row> {
  // A connection takes no other statement while it is inside a table of ours.
  const db = new Database(path, { readOnly: true, timeoutMs: 10_000 });
  try {
    db.exec('BEGIN');
    const words = new Words(db);
    const keptFrom =
      (db.prepare("SELECT value FROM meta WHERE key = 'calls_from'").pluck().get() as number) ?? 0;
    yield* oldRows(db, words);
    const blocks = new WholeBlocks(db);
    const commit = db
      .prepare('SELECT columns, trace_ids FROM commit_calls WHERE first_call_id = ?')
      .raw();
    const stored = db
      .prepare(
        `SELECT first_call_id, 1 FROM call_block WHERE first_call_id + calls > ?
         UNION ALL SELECT first_call_id, 0 FROM commit_calls WHERE first_call_id + calls > ?
         ORDER BY first_call_id`,
      )
      .raw();
    for (const [firstId, isBlock] of stored.all(keptFrom, keptFrom) as [number, 0 | 1][]) {
      const calls = new StoredCalls();
      try {
        if (isBlock) blocks.read(firstId, calls);
        else {
          const [bytes, traceIds] = commit.get(firstId) as [Uint8Array, Uint8Array];
          decodeCommit(bytes, traceIds, commitName(firstId), calls);
        }
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        tell(`left out: ${error.message}`);
        continue;
      }
      yield* storedRows(calls, firstId, keptFrom, words);
    }
  } finally {
    db.close();
  }
}

function* storedRows(
  { columns, weights, length }: StoredCalls,
  firstId: number,
  keptFrom: number,
  words: Words,
): Generator<Row> {
  const weightOf = new Map<number, number>();
  for (let i = 0; i < weights.length; i += 1) weightOf.set(weights.call[i]!, weights.weight[i]!);
  const traceIds = Buffer.from(columns.traceId.buffer, columns.traceId.byteOffset, length * 16);
  for (let i = Math.max(0, keptFrom - firstId); i < length; i += 1) {
    yield words.row(firstId + i, {
      endpoint: columns.endpoint[i]!,
      origin: columns.origin[i]!,
      client: columns.client[i]!,
      status: columns.status[i]!,
      endS: columns.endS[i]!,
      endNs: columns.endNs[i]!,
      durationNs: columns.durationNs[i]!,
      requestBytes: columns.requestBytes[i]!,
      responseBytes: columns.responseBytes[i]!,
      traceId: traceIds.toString('hex', i * 16, i * 16 + 16),
      weight: weightOf.get(i) ?? 1,
    });
  }
}

/** Calls as release 0.1.0 stored them, while there are any. */
function* oldRows(db: Database, words: Words): Generator<Row> {
  const exists = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'call' AND type = 'table'");
  if (exists.get() === undefined) return;
  const read = db.prepare(`
    SELECT c.id, c.endpoint_id AS endpoint, c.origin_id AS origin, ifnull(c.client_id, 0) AS client, c.status,
      c.end_s AS endS, c.end_ns AS endNs, min(c.duration_ns, 9007199254740991) AS durationNs,
      ifnull(c.request_bytes, -1) AS requestBytes, ifnull(c.response_bytes, -1) AS responseBytes,
      (SELECT lower(hex(substr(k.trace_ids, (c.id - k.first_call_id) * 16 + 1, 16)))
        FROM call_commit k WHERE k.first_call_id <= c.id ORDER BY k.first_call_id DESC LIMIT 1) AS traceId,
      ifnull(w.weight, 1) AS weight
    FROM call c LEFT JOIN call_weight w ON w.call_id = c.id
    WHERE c.id > ? ORDER BY c.id LIMIT ${oldRowsAtOnce}`);
  for (let last = -1; ; ) {
    const rows = read.all(last) as (Call & { id: number })[];
    for (const call of rows) yield words.row(call.id, call);
    if (rows.length < oldRowsAtOnce) return;
    last = rows.at(-1)!.id;
  }
}

interface Call {
  endpoint: number;
  origin: number;
  /** 0: unknown. */
  client: number;
  status: number;
  endS: number;
  endNs: number;
  durationNs: number;
  requestBytes: number;
  responseBytes: number;
  traceId: string;
  weight: number;
}

/** What the numbers of calls stand for. */
class Words {
  readonly #endpoints: Map<number, SqlValue[]>;
  readonly #origins: Map<number, SqlValue[]>;
  readonly #clients: Map<number, SqlValue[]>;
  #second = -1;
  #secondText = '';

  constructor(db: Database) {
    const read = (sql: string) => {
      const rows = db.prepare(sql).raw().all() as [number, ...SqlValue[]][];
      return new Map(rows.map(([id, ...words]) => [id, words]));
    };
    this.#endpoints = read(
      `SELECT e.id, p.name, s.name, s.environment, e.method, e.route FROM endpoint e
       JOIN service s ON s.id = e.service_id JOIN project p ON p.id = s.project_id`,
    );
    this.#origins = read(
      'SELECT id, service_version, consumer, agent, bot, error_type FROM origin',
    );
    this.#clients = read('SELECT id, address FROM client');
  }

  row(id: number, call: Call): Row {
    const [project, service, environment, method, route] = this.#endpoints.get(call.endpoint) ?? [];
    const [version, consumer, agent, bot, errorType] = this.#origins.get(call.origin) ?? [];
    const [client] = this.#clients.get(call.client) ?? [];
    return [
      whole(id),
      this.#endedAt(call.endS, call.endNs),
      project ?? null,
      service ?? null,
      environment ?? null,
      version ?? null,
      method ?? null,
      route ?? null,
      call.status,
      call.durationNs < 0 ? null : call.durationNs / 1e6,
      client ?? null,
      consumer ?? null,
      agent ?? null,
      bot ?? null,
      errorType ?? null,
      call.requestBytes < 0 ? null : whole(call.requestBytes),
      call.responseBytes < 0 ? null : whole(call.responseBytes),
      call.traceId,
      call.weight,
    ];
  }

  #endedAt(endS: number, endNs: number): string {
    if (endS !== this.#second) {
      this.#second = endS;
      this.#secondText = new Date(endS * 1000).toISOString().slice(0, 19).replace('T', ' ');
    }
    return `${this.#secondText}.${String(endNs).padStart(9, '0')}`;
  }
}

/** The binding takes a number beyond 32 bits for a REAL. */
function whole(value: number): number | bigint {
  return (value | 0) === value ? value : BigInt(value);
}
