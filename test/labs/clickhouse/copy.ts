import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { Random } from '../../../core/random.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { installedPython, startServer } from './server.ts';

/**
 * `node test/labs/clickhouse/copy.ts [--calls 10000000]`: makes a store of so many calls of the last two days, 1,000
 * endpoints and 10,000 clients, and copies it to ClickHouse and back by `rollcall copy`: time, CPU time and memory of the
 * command, and whether both stores answered the same.
 */
const { values } = parseArgs({ options: { calls: { type: 'string', default: '10000000' } } });
const calls = Number(values.calls);
const callsPerBatch = 50_000;
const root = fileURLToPath(new URL('../../..', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'rollcall-clickhouse-'));
const file = join(data, 'rollcall.db');

async function make(): Promise<void> {
  const random = new Random(1);
  const below = (most: number) => Math.floor(random.next() * most);
  const dictionary = new CallDictionary();
  const name = { project: 'default', service: 'shop', environment: '', templated: false };
  const endpoints = Array.from({ length: 1_000 }, (_, n) =>
    dictionary.endpoint({ ...name, method: n % 4 === 0 ? 'POST' : 'GET', route: `/r${n}/{id}` }),
  );
  const clients = Array.from({ length: 10_000 }, (_, n) =>
    dictionary.client(`198.51.${n >> 8}.${n & 255}`),
  );
  const context = { serviceVersion: '1', consumer: 'app', agent: '', bot: false, errorType: '' };
  const origin = dictionary.origin(context);
  const writer = await openSqliteWriter({ path: file, retention: defaultRetention });
  const fromS = Math.floor(Date.now() / 1000) - 2 * 86_400;
  for (let done = 0; done < calls; done += callsPerBatch) {
    const batch = new CallBatch();
    const atS = fromS + Math.floor((2 * 86_400 * done) / calls);
    for (let n = 0; n < Math.min(callsPerBatch, calls - done); n += 1) {
      const i = batch.push();
      const { columns } = batch;
      columns.endpoint[i] = endpoints[Math.floor(1_000 * random.next() ** 2)]!;
      columns.client[i] = clients[below(10_000)]!;
      columns.origin[i] = origin;
      columns.status[i] = random.next() < 0.02 ? 500 : 200;
      columns.durationNs[i] = 1_000 * Math.floor(500 + 1_000_000 * random.next() ** 6);
      columns.endS[i] = atS + below(30);
      columns.endNs[i] = below(1e9);
      columns.requestBytes[i] = -1;
      columns.responseBytes[i] = -1;
    }
    randomFillSync(batch.columns.traceId, 0, batch.length * 16);
    const digest = randomFillSync(new Uint8Array(16));
    batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
    await writer.append(batch, dictionary.takeNew());
  }
  await writer.compact();
  await writer.close();
}

/** Runs `rollcall copy`, and says what it took. @throws Error when it fails */
async function copy(from: string, to: string): Promise<void> {
  const startedMs = performance.now();
  const args = ['cli/rollcall.mjs', 'copy', '--from', from, '--to', to];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  let peakMiB = 0;
  let cpuS = 0;
  const watching = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      // A process that has ended has no memory.
      peakMiB = Math.max(peakMiB, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      cpuS = (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      // It has ended.
    }
  }, 100);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watching);
  if (code !== 0) throw new Error(said);
  const seconds = (performance.now() - startedMs) / 1000;
  const copyS = /copied in ([\d.]+) s/.exec(said)?.[1];
  console.log(
    `${from.split(':')[0]} to ${to.split(':')[0]}: copied in ${copyS} s, compared after ${seconds.toFixed(1)} s; ${cpuS.toFixed(1)} s of CPU, at most ${peakMiB.toFixed(0)} MiB`,
  );
  console.log(`  ${said.trim().split('\n').at(-1)}`);
}

const server = await startServer(installedPython(), join(data, 'server'));
try {
  await make();
  console.log(`a store of ${calls} calls: ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB`);
  const url = `clickhouse://127.0.0.1:${server.port}/copy`;
  await copy(`sqlite:${file}`, url);
  const back = join(data, 'back.db');
  await copy(url, `sqlite:${back}`);
  console.log(`  the file that came back: ${(statSync(back).size / 2 ** 20).toFixed(0)} MiB`);
} finally {
  await server.kill();
  rmSync(data, { recursive: true, force: true });
}
