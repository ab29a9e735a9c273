import { AppError } from '../../error.ts';
import { schemaVersion } from '../sqlite/schema.ts';
import { Connection, isRefusal } from './connection.ts';

/**
 * The tables in ClickHouse (docs/decisions/0020-clickhouse.md). Rows are only added; a column `_block_number` that the
 * server gives every INSERT says which came first, also after merges.
 */
const durable = 'fsync_after_insert = 1, fsync_part_directory = 1';
const ordered = 'enable_block_number_column = 1, enable_block_offset_column = 1';

const tables = [
  // One row a delivery: its calls, and every word that they need. `received_s` serves the recognition of repeats only.
  // Small parts stay small, so that old ones hold no new rows and can be dropped.
  `CREATE TABLE IF NOT EXISTS delivery (
    project String, digest FixedString(16), received_s UInt32, calls UInt32, body String CODEC(ZSTD(1))
  ) ENGINE = MergeTree ORDER BY (project, digest)
  SETTINGS ${durable}, ${ordered}, max_bytes_to_merge_at_max_space_in_pool = 67108864`,
  // The steps of the state: of several rows of one number the first one counts.
  `CREATE TABLE IF NOT EXISTS step (
    n UInt64, nonce String, compactor String, changes UInt32
  ) ENGINE = MergeTree ORDER BY n SETTINGS ${durable}, ${ordered}`,
  // Rows that a step changed, in the tables of core/store/sqlite/schema.ts.
  `CREATE TABLE IF NOT EXISTS change (
    n UInt64, nonce String, tbl LowCardinality(String), key String, deleted UInt8, row String CODEC(ZSTD(1))
  ) ENGINE = MergeTree PARTITION BY intDiv(n, 1024) ORDER BY (n, nonce) SETTINGS ${durable}`,
  // The newest version of every row, as of step \`copied\` or later: a process starts from here.
  `CREATE TABLE IF NOT EXISTS state (
    tbl LowCardinality(String), key String, n UInt64, deleted UInt8, row String CODEC(ZSTD(1))
  ) ENGINE = ReplacingMergeTree(n, deleted) ORDER BY (tbl, key) SETTINGS ${durable}`,
  `CREATE TABLE IF NOT EXISTS copied (n UInt64) ENGINE = ReplacingMergeTree ORDER BY n SETTINGS ${durable}`,
  // How far \`rollcall copy\` has come into this store, by table; empty when it is no target of one.
  `CREATE TABLE IF NOT EXISTS moving (
    source String, tbl String, after String, rows UInt64
  ) ENGINE = ReplacingMergeTree(rows) ORDER BY (source, tbl) SETTINGS ${durable}`,
  // Readiness: one row for each process that proved an INSERT.
  `CREATE TABLE IF NOT EXISTS proof (process String, at_s UInt32) ENGINE = ReplacingMergeTree ORDER BY process`,
  `CREATE TABLE IF NOT EXISTS format (version UInt32) ENGINE = ReplacingMergeTree ORDER BY version SETTINGS ${durable}`,
];

/** Raised with the tables above; together with the version of the SQLite schema it tells what rows mean. */
const tablesVersion = 2;
const version = tablesVersion * 1000 + schemaVersion;

/**
 * Makes what is missing; any number of processes may do so at once.
 * @throws AppError `conflict` when another release wrote the store or a copy into it has not ended, `unavailable`
 */
export async function makeTables(connection: Connection): Promise<void> {
  await makeTablesToFill(connection);
  const moving = await connection.rows('SELECT tbl FROM moving LIMIT 1');
  if (moving.length === 0) return;
  throw new AppError(
    'conflict',
    `a store is being copied to ${connection.name}: let \`rollcall copy\` end, run it again if it was broken off, or drop the database`,
  );
}

/** The same for the process that copies. */
export async function makeTablesToFill(connection: Connection): Promise<void> {
  if (await hasTables(connection)) return refuseOther(connection);
  await connection.run(`CREATE DATABASE IF NOT EXISTS ${quoted(connection.database)}`);
  for (const table of tables) await connection.run(table);
  const known = await versions(connection);
  if (known.length === 0) {
    const body = Buffer.alloc(4);
    body.writeUInt32LE(version);
    await connection.insert('format', ['version'], body);
  }
  await refuseOther(connection);
}

/** @throws AppError `unavailable` */
export async function hasStore(url: string): Promise<boolean> {
  const connection = new Connection(url);
  try {
    return await hasTables(connection);
  } finally {
    connection.close();
  }
}

/** Whether the database and its tables are there. */
export async function hasTables(connection: Connection): Promise<boolean> {
  try {
    return (await versions(connection)).length > 0;
  } catch (error) {
    if (isRefusal(error, unknownDatabase) || isRefusal(error, unknownTable)) return false;
    throw error;
  }
}

const unknownTable = 60;
const unknownDatabase = 81;

/**
 * Of `delivery` and `step` the order of inserts counts. A server that makes a replicated table of MergeTree, as
 * ClickHouse Cloud does, may show an INSERT after one with a greater number.
 */
async function refuseOther(connection: Connection): Promise<void> {
  const engines = await connection.rows<{ engine: string }>(
    `SELECT DISTINCT engine FROM system.tables WHERE database = {database:String} AND name IN ('delivery', 'step')`,
    { database: connection.database },
  );
  const unordered = engines.find(({ engine }) => engine !== 'MergeTree');
  if (unordered) {
    throw new AppError(
      'conflict',
      `${connection.name} keeps its tables as ${unordered.engine}: only MergeTree on one server is supported`,
    );
  }
  const other = (await versions(connection)).find((found) => found !== version);
  if (other === undefined) return;
  throw new AppError(
    'conflict',
    `${connection.name} was written by another release (format ${other}, this program has ${version}): ClickHouse is experimental, and its store is not carried over from release to release`,
  );
}

async function versions(connection: Connection): Promise<number[]> {
  const rows = await connection.rows<{ version: number }>('SELECT DISTINCT version FROM format');
  return rows.map(({ version: found }) => found);
}

function quoted(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
