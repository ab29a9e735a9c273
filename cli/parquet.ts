import { existsSync } from 'node:fs';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { AppError } from '../core/error.ts';

/** hyparquet-writer, which writes Parquet files, is known to this file only. */

/** A row of the REST API's `/calls`, as far as a column reads it. */
type Row = Record<string, unknown>;

interface Column {
  name: string;
  type: 'timestamp' | 'text' | 'int64' | 'int32' | 'double' | 'boolean';
  /** Null when unknown. */
  value: (row: Row) => unknown;
}

const text = (name: string): Column => ({
  name,
  type: 'text',
  value: (row) => row[name] ?? null,
});
const bytes = (name: string): Column => ({
  name,
  type: 'int64',
  value: (row) => (typeof row[name] === 'number' ? BigInt(row[name]) : null),
});

const columns: readonly Column[] = [
  { name: 'ended_at', type: 'timestamp', value: ({ ended_at }) => nanoseconds(String(ended_at)) },
  ...['service', 'environment', 'method', 'route'].map(text),
  { name: 'status', type: 'int32', value: ({ status }) => status },
  {
    name: 'duration_ns',
    type: 'int64',
    value: ({ duration_ms: ms }) =>
      typeof ms === 'number' ? BigInt(Math.round(ms * 1_000_000)) : null,
  },
  ...['client', 'consumer', 'agent'].map(text),
  { name: 'bot', type: 'boolean', value: ({ bot }) => bot },
  ...['service_version', 'error_type'].map(text),
  ...['request_bytes', 'response_bytes'].map(bytes),
  { name: 'weight', type: 'double', value: ({ weight = 1 }) => weight },
  ...['trace_id', 'endpoint', 'id'].map(text),
];

/** Rows of a group: what is held in memory while it is encoded (npm run test:parquet prints it), and what a reader can skip. */
const groupRows = 25_000;

const types = {
  timestamp: {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
  },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int64: { type: 'INT64' },
  int32: { type: 'INT32' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
} as const;

/**
 * Writes rows to a Parquet file, group by group.
 * @returns how many
 * @throws AppError `conflict` when the file exists
 */
export async function writeParquet(path: string, rows: AsyncIterable<Row>): Promise<number> {
  if (existsSync(path)) throw new AppError('conflict', `"${path}" exists already`);
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    createdBy: 'rollcall',
    schema: [
      { name: 'calls', num_children: columns.length },
      ...columns.map(({ name, type }) => ({
        name,
        repetition_type: 'OPTIONAL' as const,
        ...types[type],
      })),
    ],
  });
  let group = columns.map((): unknown[] => []);
  let count = 0;
  const flush = async (): Promise<void> => {
    const columnData = columns.map(({ name }, i) => ({ name, data: group[i]! }));
    await writer.write({ columnData, rowGroupSize: groupRows });
    group = columns.map(() => []);
  };
  for await (const row of rows) {
    for (let i = 0; i < columns.length; i += 1) group[i]!.push(columns[i]!.value(row));
    count += 1;
    if (count % groupRows === 0) await flush();
  }
  if (count % groupRows > 0) await flush();
  await writer.finish();
  return count;
}

/** @param time ISO 8601 with nine digits behind the seconds */
function nanoseconds(time: string): bigint {
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000;
  return BigInt(seconds) * 1_000_000_000n + BigInt(time.slice(20, 29));
}
