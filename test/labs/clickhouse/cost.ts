import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
 * `node test/labs/clickhouse/cost.ts [--bodies 2000] [--warm 400] [--spans 512] [--rounds 2]`: CPU time of a collector for
 * a million spans, on SQLite and on ClickHouse in turn, and the bytes that ClickHouse keeps of a call. The first bodies
 * (`--warm`) are not measured: V8 compiles while they come.
 */
const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '2000' },
    warm: { type: 'string', default: '400' },
    spans: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});
const bodies = Number(values.bodies);
const warmBodies = Number(values.warm);
const spansPerBody = Number(values.spans);
const data = mkdtempSync(join(tmpdir(), 'rollcall-clickhouse-'));
const random = new Random(1);

/** A body of a busy service: 100 routes, 1,000 clients; and where its trace ids stand. */
function template(): { bytes: Buffer; traceIdsAt: number[] } {
  const traceIds = Array.from({ length: spansPerBody }, () => randomBytes(16));
  const spans = traceIds.map((traceId) =>
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
      traceId,
    }),
  );
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const bytes = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  return { bytes, traceIdsAt: traceIds.map((traceId) => bytes.indexOf(traceId)) };
}

const templates = Array.from({ length: 50 }, template);

/** A body that was not sent yet: its trace ids are new. */
function body(serial: number): Buffer {
  const { bytes, traceIdsAt } = templates[serial % templates.length]!;
  const copy = Buffer.from(bytes);
  for (const at of traceIdsAt) randomFillSync(copy, at, 16);
  return copy;
}

/** User and system time of a process with its threads, seconds. */
function cpuS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** @returns a collector's CPU-seconds for a million spans, and the server's */
async function measure(store: string): Promise<{ collector: number; server: number }> {
  const env = { ROLLCALL_STORE: store, ROLLCALL_LOG: 'fatal' };
  const collector = await startCollectorProcess('', env);
  const send = async (count: number): Promise<void> => {
    let left = count;
    const sendOn = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const response = await fetch(`${collector.url}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': protobufType },
          body: body(left),
        });
        if (response.status !== 200) throw new Error(`${response.status}`);
      }
    };
    await Promise.all([sendOn(), sendOn(), sendOn(), sendOn()]);
    if (store.startsWith('clickhouse')) await compacted(store);
    else await new Promise((resolve) => setTimeout(resolve, 5_000));
  };
  await send(warmBodies);
  const before = threadsCpuS(collector.pid);
  const beforeS = cpuS(collector.pid);
  const serverBeforeS = cpuS(server.child.pid!);
  await send(bodies);
  const usedS = cpuS(collector.pid) - beforeS;
  for (const [thread, atS] of threadsCpuS(collector.pid)) {
    const ownS = atS - (before.get(thread) ?? 0);
    if (ownS > usedS / 50)
      console.log(`    ${thread}: ${ownS.toFixed(2)} s of ${usedS.toFixed(2)}`);
  }
  const serverS = cpuS(server.child.pid!) - serverBeforeS;
  await collector.stop();
  const perMillion = 1e6 / (bodies * spansPerBody);
  return { collector: usedS * perMillion, server: serverS * perMillion };
}

/** User and system time of each thread, seconds. */
function threadsCpuS(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [name, rest] = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ');
    const fields = rest!.split(' ');
    found.set(name!.replace('(', ''), (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return found;
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
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const sqlite =
      values.only === 'clickhouse'
        ? undefined
        : await measure(`sqlite:${data}/rollcall-${round}.db`);
    const url = `clickhouse://127.0.0.1:${server.port}/cost${round}`;
    const clickhouse = await measure(url);
    const beside = sqlite
      ? `, ${sqlite.collector.toFixed(1)} on SQLite (ratio ${(clickhouse.collector / sqlite.collector).toFixed(2)})`
      : '';
    console.log(
      `round ${round}: CPU-seconds per million spans: a collector ${clickhouse.collector.toFixed(1)} on ClickHouse${beside}; the server with its front ${clickhouse.server.toFixed(1)}`,
    );
    const connection = new Connection(url);
    const parts = await connection.rows<{ tbl: string; bytes: number }>(
      'SELECT table AS tbl, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table',
    );
    for (const { tbl, bytes } of parts) {
      console.log(
        `  ${tbl}: ${(Number(bytes) / ((warmBodies + bodies) * spansPerBody)).toFixed(1)} bytes a call`,
      );
    }
    const [log] = await connection.rows<{ rows: number; inserts: number }>(
      'SELECT count() AS rows, uniqExact(_block_number) AS inserts FROM delivery',
    );
    console.log(`  ${(Number(log?.rows) / Number(log?.inserts)).toFixed(1)} bodies an INSERT`);
    connection.close();
  }
} finally {
  await server.kill();
  rmSync(data, { recursive: true, force: true });
}
