import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../core/random.ts';
import { Connection } from '../../../core/store/clickhouse/connection.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { startCollectorProcess } from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';
import { installedPython, startServer } from './server.ts';

/**
 * `node test/labs/clickhouse/cost.ts [--bodies 300] [--spans 512]`: CPU time of a collector for a million spans, on SQLite
 * and on ClickHouse in turn, and the bytes that ClickHouse keeps of a call.
 */
const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '300' },
    spans: { type: 'string', default: '512' },
  },
});
const bodies = Number(values.bodies);
const spansPerBody = Number(values.spans);
const data = mkdtempSync(join(tmpdir(), 'rollcall-clickhouse-'));
const random = new Random(1);

/** Spans of a busy service: 100 routes, 1,000 clients. */
function body(): Buffer {
  const spans = Array.from({ length: spansPerBody }, () =>
    serverSpan({
      attributes: [
        ...callTo(`/r${Math.floor(100 * random.next())}/{id}`),
        {
          key: 'client.address',
          value: `198.51.${Math.floor(4 * random.next())}.${Math.floor(250 * random.next())}`,
        },
        { key: 'user_agent.original', value: 'okhttp/4.9.3' },
      ],
      startTimeUnixNano: BigInt(Date.now()) * 1_000_000n - BigInt(Math.floor(5e7 * random.next())),
      traceId: randomBytes(16),
    }),
  );
  const attributes = [{ key: 'service.name', value: 'shop' }];
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
}

/** User and system time of a process with its threads, seconds. */
function cpuS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measure(store: string): Promise<number> {
  const env = { ROLLCALL_STORE: store, ROLLCALL_LOG: 'fatal' };
  const collector = await startCollectorProcess('', env);
  const beforeS = cpuS(collector.pid);
  let left = bodies;
  const send = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(`${collector.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': protobufType },
        body: body(),
      });
      if (response.status !== 200) throw new Error(`${response.status}`);
    }
  };
  await Promise.all([send(), send(), send(), send()]);
  if (store.startsWith('clickhouse')) await compacted(store);
  const usedS = cpuS(collector.pid) - beforeS;
  await collector.stop();
  return (usedS * 1e6) / (bodies * spansPerBody);
}

async function compacted(url: string): Promise<void> {
  const connection = new Connection(url);
  await waitFor('every delivery is compacted', async () => {
    const before = await connection.rows<{ n: number }>('SELECT max(n) AS n FROM step');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const after = await connection.rows<{ n: number }>('SELECT max(n) AS n FROM step');
    return before[0]?.n === after[0]?.n;
  });
  connection.close();
}

const server = await startServer(installedPython(), join(data, 'server'));
try {
  for (let round = 1; round <= 2; round += 1) {
    const sqlite = await measure(`sqlite:${data}/rollcall-${round}.db`);
    const url = `clickhouse://127.0.0.1:${server.port}/cost${round}`;
    const clickhouse = await measure(url);
    console.log(
      `round ${round}: a collector's CPU-seconds per million spans: ${sqlite.toFixed(1)} on SQLite, ${clickhouse.toFixed(1)} on ClickHouse (ratio ${(clickhouse / sqlite).toFixed(2)})`,
    );
    const connection = new Connection(url);
    const parts = await connection.rows<{ tbl: string; bytes: number }>(
      'SELECT table AS tbl, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table',
    );
    for (const { tbl, bytes } of parts) {
      console.log(`  ${tbl}: ${(Number(bytes) / (bodies * spansPerBody)).toFixed(1)} bytes a call`);
    }
    connection.close();
  }
} finally {
  await server.kill();
  rmSync(data, { recursive: true, force: true });
}
