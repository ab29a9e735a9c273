import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { allTime } from '../../../../core/window.ts';
import { protobufType, traces } from '../../../support/export-request.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../../../support/process.ts';
import { waitFor } from '../../../support/wait.ts';
import { framed, openGrpc } from '../../load/grpc-call.ts';
import { newDatabase } from './engine.ts';

/** docs/deploy/nginx.conf, with the addresses of two collectors and two analyzers that really run (`nginx-light`). */
const ended: (() => Promise<unknown> | unknown)[] = [];
const hasNginx = (() => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!hasNginx) console.log('NOT RUN: nginx is not there, the load balancer was not tested');

afterAll(async () => {
  for (const end of ended.reverse()) await Promise.resolve(end()).catch(() => undefined);
});

it.skipIf(!hasNginx)(
  'nginx hands OTLP over HTTP and gRPC to two collectors, and a killed one costs no call',
  async () => {
    const folder = temporaryFolder();
    ended.push(() => folder.remove());
    const { url, end } = newDatabase();
    ended.push(end);
    const env = { ROLLCALL_LOG: 'fatal', ROLLCALL_STORE: url };
    const collectors = [
      await startCollectorProcess('', env),
      await startCollectorProcess('', env),
    ] as const;
    const analyzers = [
      await startAnalyzerProcess('', env),
      await startAnalyzerProcess('', env),
    ] as const;
    for (const { stop } of [...collectors, ...analyzers]) ended.push(() => stop('SIGKILL'));

    const ports = { 4318: await freePort(), 4317: await freePort(), 4380: await freePort() };
    let configuration = readFileSync('docs/deploy/nginx.conf', 'utf8');
    for (const [i, letter] of ['a', 'b'].entries()) {
      const [collector, analyzer] = [collectors[i]!, analyzers[i]!];
      configuration = configuration
        .replace(`collector-${letter}:4318`, hostOf(collector.url))
        .replace(`collector-${letter}:4317`, hostOf(collector.grpcUrl))
        .replace(`analyzer-${letter}:4380`, hostOf(analyzer.url));
    }
    for (const [inside, outside] of Object.entries(ports)) {
      configuration = configuration.replace(`listen ${inside}`, `listen 127.0.0.1:${outside}`);
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `  ${name}_temp_path ${folder.path}/temp;`,
    );
    mkdirSync(join(folder.path, 'temp'));
    const path = join(folder.path, 'nginx.conf');
    const head = `pid ${folder.path}/pid;\nerror_log ${folder.path}/error.log;\n`;
    writeFileSync(path, head + configuration.replace('http {', `http {\n${temporary.join('\n')}`));
    const nginx = spawn('nginx', ['-c', path, '-g', 'daemon off;'], { stdio: 'inherit' });
    ended.push(() => nginx.kill('SIGKILL'));

    const send = async (calls: number): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${ports[4318]}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': protobufType },
        body: traces(calls),
      }).catch(() => undefined);
      return response?.status ?? 0;
    };
    await waitFor('nginx to answer', async () => (await send(1)) === 200);
    const grpc = await openGrpc(`http://127.0.0.1:${ports[4317]}`);
    ended.push(() => grpc.session.destroy());
    let acknowledged = 1;
    for (let n = 0; n < 10; n += 1) {
      expect(await send(3)).toBe(200);
      expect((await grpc.call(framed(traces(2)))).code).toBe(0);
      acknowledged += 5;
    }
    const taken = await Promise.all(
      collectors.map(async (collector) => {
        const text = await (await fetch(`${collector.url}/metrics`)).text();
        return Number(/rollcall_spans_total\{outcome="stored",reason=""\} (\d+)/.exec(text)?.[1]);
      }),
    );
    expect(Math.min(...taken), `calls by collector: ${taken}`).toBeGreaterThan(0);
    expect(taken[0]! + taken[1]!).toBe(acknowledged);

    await collectors[0].stop('SIGKILL');
    for (let n = 0; n < 10; n += 1) {
      expect(await send(3)).toBe(200);
      expect((await grpc.call(framed(traces(2)))).code).toBe(0);
      acknowledged += 5;
    }
    const reader = await openClickhouseReader(url);
    ended.push(() => reader.close());
    const calls = await reader.snapshot('default', async (snapshot) => {
      return (await snapshot.total({}, allTime)).calls;
    });
    expect(calls).toBe(acknowledged);
    const report = await fetch(`http://127.0.0.1:${ports[4380]}/api/v1/report`);
    const { summary } = (await report.json()) as { summary: { total_requests: number } };
    expect([report.status, summary.total_requests]).toEqual([...[200, acknowledged]]);
  },
  300_000,
);

function hostOf(address: string): string {
  return new URL(address).host;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
