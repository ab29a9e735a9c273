import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendTraces } from '../../cli/demo/exporter.ts';
import { traffic } from '../../cli/demo/traffic.ts';
import { type Running, runToEnd, startRollcall, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

describe('serve', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let running: Running | undefined;
  const start = async (env: Record<string, string> = {}) => {
    running = await startRollcall(`${folder.path}/new/folder/rollcall.db`, env);
    return running;
  };

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    folder.remove();
  });

  it('makes the data folder, says where it listens, and is ready', async () => {
    const { addresses } = await start();
    expect(addresses.otlp_grpc).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const urls = [addresses.otlp_http!, addresses.analyzer!];
    for (const url of urls) {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s under load ends it cleanly, with everything acknowledged in the store',
    async (signal) => {
      const first = await start();
      const load = sendUntilRefused(`${first.addresses.otlp_http}/v1/traces`);
      await load.acknowledgedAtLeast(2000);
      expect(await first.stop(signal)).toMatchObject({ code: 0, signal: null });
      const { acknowledged, sent } = await load.counts;

      const second = await start();
      const report = await fetch(`${second.addresses.analyzer}/api/v1/report?window=1d`);
      const { summary } = (await report.json()) as { summary: { total_requests: number } };
      // What was under way when the door closed may be stored without its sender knowing.
      expect(summary.total_requests).toBeGreaterThanOrEqual(acknowledged);
      expect(summary.total_requests).toBeLessThanOrEqual(sent);
    },
  );

  it('kill -9 of the parent lets the services end by themselves', async () => {
    const { addresses, stop } = await start();
    await stop('SIGKILL');
    // Both ports are free again, and so is the store, when another can take all three.
    const { port } = new URL(addresses.otlp_http!);
    await untilRefused(addresses.otlp_http!);
    await untilRefused(addresses.analyzer!);
    const again = await start({ ROLLCALL_OTLP_HTTP_PORT: port });
    expect((await fetch(`${again.addresses.otlp_http}/readyz`)).status).toBe(200);
  });

  it.each(['ROLLCALL_OTLP_HTTP_PORT', 'ROLLCALL_OTLP_GRPC_PORT', 'ROLLCALL_ANALYZER_PORT'])(
    'ends with a clear line when the port of %s is in use',
    async (name) => {
      const taken = await listen();
      const { port } = taken.address() as { port: number };
      const { code, output } = await runToEnd(
        'cli/rollcall.mjs',
        {
          ROLLCALL_STORE: `sqlite:${folder.path}/rollcall.db`,
          ROLLCALL_OTLP_HTTP_PORT: '0',
          ROLLCALL_ANALYZER_PORT: '0',
          [name]: String(port),
        },
        ['serve'],
      );
      taken.close();
      expect(output).toMatch(new RegExp(`^rollcall .*\\b${port}\\b.* in use`, 'm'));
      expect(code).toBe(1);
    },
  );

  it('refuses a store that another collector writes', async () => {
    const store = `sqlite:${folder.path}/new/folder/rollcall.db`;
    await start();
    const env = {
      ROLLCALL_STORE: store,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_ANALYZER_PORT: '0',
    };
    const { code, output } = await runToEnd('cli/rollcall.mjs', env, ['serve']);
    expect(output).toContain('rollcall collector: ');
    expect(output).toContain('collector ended by itself');
    expect(code).toBe(1);
  });
});

/** Sends the demo shop's traffic, one body after the other, until nobody answers any more. */
function sendUntilRefused(url: string) {
  const abort = new AbortController();
  let acknowledged = 0;
  let sent = 0;
  const run = async () => {
    for (let seed = 1; ; seed += 1) {
      const nowMs = Date.now();
      const body = traffic(seed, { fromMs: nowMs - 1000, toMs: nowMs }, nowMs, 2000);
      const calls = body.flatMap(({ scopes }) => scopes.flatMap(({ spans }) => spans)).length;
      sent += calls;
      // A sender that gives up at once: the test wants to know what was acknowledged, not to insist.
      const answer = await sendTraces(url, body, abort.signal, 1).catch(() => 'refused');
      if (answer === 'refused') return { acknowledged, sent };
      acknowledged += calls;
    }
  };
  const counts = run();
  const acknowledgedAtLeast = async (calls: number) => {
    await waitFor(`${calls} acknowledged calls`, () => acknowledged >= calls);
  };
  return { counts, acknowledgedAtLeast };
}

async function untilRefused(url: string): Promise<void> {
  await waitFor(`a refused connection at ${url}`, async () => {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer === undefined;
  });
}

function listen(): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
