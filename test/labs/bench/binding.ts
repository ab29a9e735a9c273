import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import BetterSqlite3 from 'better-sqlite3';

/**
 * CPU time of the two SQLite bindings, node:sqlite and better-sqlite3, in turn in one process, for the shapes of
 * statements that the store has or had: calls as rows, calls as one blob a commit, and what reports read.
 * docs/decisions/0002 has the figures of a run.
 *   node test/labs/bench/binding.ts [rounds]
 */
const rounds = Number(process.argv[2] ?? 7);
const calls = 256_000;
const callsPerCommit = 1_000;
const rowsPerInsert = 64;
const columns = 9;
const blobBytes = 30_000;

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}
interface Connection {
  exec(sql: string): unknown;
  /** @param raw rows as arrays */
  prepare(sql: string, raw?: boolean): Statement;
  close(): unknown;
}
type Shape = { name: string; unit: string; units: number; work: (db: Connection) => void };

const bindings: Record<string, (path: string) => Connection> = {
  'node:sqlite': (path) => {
    const db = new DatabaseSync(path);
    const prepare = (sql: string, raw = false): Statement => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(raw);
      return statement as unknown as Statement;
    };
    return { exec: (sql) => db.exec(sql), prepare, close: () => db.close() };
  },
  'better-sqlite3': (path) => {
    const db = new BetterSqlite3(path);
    const prepare = (sql: string, raw = false): Statement => {
      const statement = db.prepare(sql);
      return (raw ? statement.raw() : statement) as unknown as Statement;
    };
    return { exec: (sql) => db.exec(sql), prepare, close: () => db.close() };
  },
};

const blob = randomBytes(blobBytes);
const shapes: Shape[] = [
  { name: 'calls written as rows, 64 an INSERT', unit: 'call', units: calls, work: writeRows },
  { name: 'calls written as one blob a commit', unit: 'call', units: calls, work: writeBlobs },
  { name: 'one row of 5 values read by key', unit: 'row', units: 100_000, work: readByKey },
  { name: '9 values read as arrays', unit: 'row', units: calls, work: readArrays },
  { name: '9 values read as objects', unit: 'row', units: calls, work: readObjects },
  { name: 'blobs of 30 KB read', unit: 'blob', units: 20_480, work: readBlobs },
  { name: 'blobs of 2 KB read by key', unit: 'blob', units: 100_000, work: readSmallBlobs },
];

process.stdout.write(`${cpus()[0]?.model}, Node ${process.version}, ${versions()}\n`);
process.stdout.write(`CPU µs a unit, median (least) of ${rounds} rounds, the bindings in turn\n`);
for (const shape of shapes) measure(shape);

function measure({ name, unit, units, work }: Shape): void {
  const costs = new Map<string, number[]>(Object.keys(bindings).map((binding) => [binding, []]));
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const inTurn = Object.entries(bindings);
    if (round % 2 === 1) inTurn.reverse();
    for (const [binding, open] of inTurn) {
      const folder = mkdtempSync(join(tmpdir(), 'rollcall-binding-'));
      const db = open(join(folder, 'bench.db'));
      try {
        prepareFile(db);
        const before = process.cpuUsage();
        work(db);
        const { user, system } = process.cpuUsage(before);
        if (round > 0) costs.get(binding)!.push((user + system) / units);
      } finally {
        db.close();
        rmSync(folder, { recursive: true });
      }
    }
  }
  const [ours, other] = [...costs.entries()].map(([binding, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)]!;
    return { middle, text: `${binding} ${middle.toFixed(3)} (${sorted[0]!.toFixed(3)})` };
  });
  const ratio = (other!.middle / ours!.middle).toFixed(2);
  process.stdout.write(`${name}, a ${unit}: ${ours!.text}, ${other!.text}, ratio ${ratio}\n`);
}

function prepareFile(db: Connection): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536');
  db.exec('CREATE TABLE call (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i)');
  db.exec('CREATE TABLE block (id INTEGER PRIMARY KEY, bytes BLOB)');
  db.exec('CREATE TABLE word (id INTEGER PRIMARY KEY, a, b, c, d)');
}

function writeRows(db: Connection): void {
  const row = `(${Array.from({ length: columns }, () => '?').join()})`;
  const rows = Array.from({ length: rowsPerInsert }, () => row).join();
  const insert = db.prepare(`INSERT INTO call (a, b, c, d, e, f, g, h, i) VALUES ${rows}`);
  const values: (number | null)[] = [];
  for (let written = 0; written < calls; ) {
    db.exec('BEGIN IMMEDIATE');
    for (let end = written + callsPerCommit; written < end; written += rowsPerInsert) {
      for (let v = 0; v < rowsPerInsert * columns; v += columns) {
        values[v] = written % 997;
        values[v + 1] = 200;
        values[v + 2] = 1_790_000_000 + (written >> 8);
        values[v + 3] = (written * 7_919) % 1_000_000_000;
        values[v + 4] = 1_000_000 + written;
        values[v + 5] = v % 18 === 0 ? null : written % 4_001;
        values[v + 6] = written % 31;
        values[v + 7] = null;
        values[v + 8] = written % 8_000;
      }
      insert.run(...values);
    }
    db.exec('COMMIT');
  }
}

function writeBlobs(db: Connection): void {
  const insert = db.prepare('INSERT INTO block (bytes) VALUES (?)');
  for (let written = 0; written < calls; written += callsPerCommit) {
    db.exec('BEGIN IMMEDIATE');
    insert.run(blob);
    db.exec('COMMIT');
  }
}

function readByKey(db: Connection): void {
  const insert = db.prepare('INSERT INTO word (a, b, c, d) VALUES (?, ?, ?, ?)');
  db.exec('BEGIN');
  for (let n = 0; n < 1_000; n += 1) insert.run('GET', `/users/{id}/orders/${n}`, n, null);
  db.exec('COMMIT');
  const read = db.prepare('SELECT * FROM word WHERE id = ?');
  let found = 0;
  for (let n = 0; n < 100_000; n += 1) {
    if ((read.get(1 + (n % 1_000)) as { c: number }).c === n % 1_000) found += 1;
  }
  if (found !== 100_000) throw new Error(`${found} rows of 100000`);
}

function readArrays(db: Connection): void {
  fillRows(db);
  const rows = db.prepare('SELECT a, b, c, d, e, f, g, h, i FROM call', true).all();
  if (rows.length !== calls) throw new Error(`${rows.length} rows of ${calls}`);
}

function readObjects(db: Connection): void {
  fillRows(db);
  const rows = db.prepare('SELECT a, b, c, d, e, f, g, h, i FROM call').all();
  if (rows.length !== calls) throw new Error(`${rows.length} rows of ${calls}`);
}

/** The same statement for both bindings, so that its cost adds the same to each. */
function fillRows(db: Connection): void {
  db.exec(
    `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${calls - 1})
     INSERT INTO call (a, b, c, d, e, f, g, h, i)
     SELECT n % 997, 200, 1790000000 + n, n * 7919, 1000000 + n, n % 4001, n % 31, NULL, n % 8000 FROM n`,
  );
}

function readBlobs(db: Connection): void {
  const insert = db.prepare('INSERT INTO block (bytes) VALUES (?)');
  db.exec('BEGIN');
  for (let n = 0; n < 1_024; n += 1) insert.run(blob);
  db.exec('COMMIT');
  const read = db.prepare('SELECT bytes FROM block');
  let bytes = 0;
  for (let n = 0; n < 20; n += 1) {
    for (const row of read.all() as { bytes: Uint8Array }[]) bytes += row.bytes.length;
  }
  if (bytes !== 20_480 * blobBytes) throw new Error(`${bytes} bytes`);
}

function readSmallBlobs(db: Connection): void {
  const insert = db.prepare('INSERT INTO block (bytes) VALUES (?)');
  db.exec('BEGIN');
  for (let n = 0; n < 1_000; n += 1) insert.run(blob.subarray(n, n + 2_000));
  db.exec('COMMIT');
  const read = db.prepare('SELECT bytes FROM block WHERE id = ?', true);
  let bytes = 0;
  for (let n = 0; n < 100_000; n += 1) {
    bytes += (read.get(1 + (n % 1_000)) as [Uint8Array])[0].length;
  }
  if (bytes !== 100_000 * 2_000) throw new Error(`${bytes} bytes`);
}

function versions(): string {
  const [node, better] = Object.values(bindings).map((open) => {
    const db = open(':memory:');
    const { version } = db.prepare('SELECT sqlite_version() AS version').get() as {
      version: string;
    };
    db.close();
    return version;
  });
  return `SQLite ${node} in node:sqlite and ${better} in better-sqlite3`;
}
