import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeParquet } from '../../../cli/parquet.ts';

/**
 * `npm run test:parquet`: writes calls with `rollcall calls --format parquet`'s own writer and reads the file with
 * DuckDB, which pip installs from PyPI into a folder of its own. Compares counts, sums, extremes, nulls and
 * nanoseconds, and prints the file's size and the memory of the writer.
 */
const { values } = parseArgs({ options: { calls: { type: 'string', default: '300000' } } });
const calls = Number(values.calls);
const folder = mkdtempSync(join(tmpdir(), 'rollcall-parquet-'));
const file = join(folder, 'calls.parquet');
let mostMiB = 0;

async function* made(): AsyncIterable<Record<string, unknown>> {
  for (let n = 0; n < calls; n += 1) {
    if (n % 10_000 === 0) mostMiB = Math.max(mostMiB, process.memoryUsage.rss() / 2 ** 20);
    const second = String(n % 60).padStart(2, '0');
    yield {
      ended_at: `2026-03-18T12:00:${second}.${String(n % 1_000_000_000).padStart(9, '0')}Z`,
      service: 'shop',
      environment: '',
      method: 'GET',
      route: `/r${n % 1_000}/{id}`,
      status: n % 7 === 0 ? null : 200 + (n % 3) * 150,
      duration_ms: n % 5 === 0 ? null : n / 1_000_000,
      client: n % 2 === 0 ? null : `192.0.2.${n % 200}`,
      consumer: n % 3 === 0 ? 'Ünïcode ✓ "quoted"' : null,
      agent: 'curl',
      bot: n % 4 === 0,
      service_version: null,
      error_type: null,
      request_bytes: null,
      response_bytes: n * 1_000,
      ...(n % 100 === 0 && { weight: 2.5 }),
      trace_id: n.toString(16).padStart(32, '0'),
      endpoint: String(n % 1_000),
      id: String(n),
    };
  }
}

const question = `
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
print('DuckDB', duckdb.__version__)
row = duckdb.sql(f"""select count(*), count(status), sum(duration_ns)::hugeint, count(client), sum(response_bytes)::hugeint,
  sum(weight), count(distinct trace_id), sum(bot::int), epoch_ns(max(ended_at)) % 1000000000,
  max(consumer) from '{sys.argv[2]}'""").limit(1).fetchall()[0]
print('|'.join(str(value) for value in row))
`;

try {
  const written = await writeParquet(file, made());
  const bytes = statSync(file).size;
  console.log(
    `${written} calls, ${bytes} bytes, ${(bytes / written).toFixed(1)} a call, RSS at most ${mostMiB.toFixed(0)} MiB`,
  );
  const packages = join(folder, 'python');
  try {
    execFileSync('python3', ['-m', 'pip', 'install', '-q', '--target', packages, 'duckdb==2.0.1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    console.error(`SKIPPED: DuckDB could not be installed, the file was read by nobody: ${error}`);
    process.exitCode = 2;
    throw error;
  }
  const said = execFileSync('python3', ['-c', question, packages, file], { encoding: 'utf8' });
  const [version, found] = said.trim().split('\n');
  const all = Array.from({ length: calls }, (_, n) => n);
  const expected = [
    calls,
    all.filter((n) => n % 7 !== 0).length,
    all.filter((n) => n % 5 !== 0).reduce((sum, n) => sum + BigInt(n), 0n),
    all.filter((n) => n % 2 !== 0).length,
    all.reduce((sum, n) => sum + BigInt(n) * 1_000n, 0n),
    calls + 1.5 * all.filter((n) => n % 100 === 0).length,
    calls,
    all.filter((n) => n % 4 === 0).length,
    Math.max(...[59].map((s) => all.findLast((n) => n % 60 === s) ?? 0)),
    'Ünïcode ✓ "quoted"',
  ];
  // A float as Python writes it.
  expected[5] = Number.isInteger(expected[5]) ? `${expected[5]}.0` : expected[5]!;
  console.log(`${version} reads ${found}`);
  if (found !== expected.join('|')) {
    throw new Error(`DuckDB reads other values; expected ${expected.join('|')}`);
  }
  console.log('every figure as written');
} finally {
  rmSync(folder, { recursive: true });
}
