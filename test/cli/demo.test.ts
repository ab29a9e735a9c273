import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historyDays } from '../../cli/demo/shop.ts';
import { historyHours, traffic } from '../../cli/demo/traffic.ts';
import { encodeTraces, type ResourceSpans } from '../../collector/otlp/traces-encoder.ts';
import { launch, runToEnd, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

const nowMs = Date.UTC(2026, 10, 22, 10, 30);
const dayMs = 86_400_000;
const runShell = promisify(execFile);

describe('the made-up shop', () => {
  const hours = historyHours(nowMs);

  it('is the same for the same seed and another one for another', () => {
    const bytes = (seed: number) =>
      Buffer.concat(hours.slice(-48).map((hour) => encodeTraces(traffic(seed, hour, nowMs))));
    expect(bytes(7).equals(bytes(7))).toBe(true);
    expect(bytes(7).equals(bytes(8))).toBe(false);
  });

  it('has some sixty endpoints, a dead version 1, a monthly job, and ends now', () => {
    const last = new Map<string, number>();
    const calls = new Map<string, number>();
    const traceIds = new Set<string>();
    let total = 0;
    let misplaced = 0;
    for (const hour of hours) {
      for (const { service, span } of spansOf(traffic(1, hour, nowMs))) {
        const endMs = Number(span.endTimeUnixNano / 1_000_000n);
        if (endMs < hour.fromMs || endMs >= hour.toMs) misplaced += 1;
        const name = `${service} ${span.name}`;
        last.set(name, Math.max(last.get(name) ?? 0, endMs));
        calls.set(name, (calls.get(name) ?? 0) + 1);
        traceIds.add(Buffer.from(span.traceId).toString('hex'));
        total += 1;
      }
    }
    expect(misplaced).toBe(0);
    expect(traceIds.size).toBe(total);
    expect(total).toBeGreaterThan(200_000);
    expect(total).toBeLessThan(400_000);
    expect(calls.size).toBeGreaterThanOrEqual(58);
    expect(calls.get('payments POST /settlements')).toBe(3);
    const v1 = [...last].filter(([name]) => name.includes('/api/v1/'));
    expect(v1.length).toBe(6);
    for (const [, endMs] of v1) {
      expect(nowMs - endMs).toBeGreaterThan(45 * dayMs);
      expect(nowMs - endMs).toBeLessThan(48 * dayMs);
    }
  });

  it('goes back whole days and never into the future', () => {
    expect(hours[0]!.fromMs).toBe(Date.UTC(2026, 10, 22) - historyDays * dayMs);
    expect(hours.at(-1)!.toMs).toBe(nowMs);
  });
});

describe('rollcall demo', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());
  const ports = { ROLLCALL_OTLP_HTTP_PORT: '0', ROLLCALL_ANALYZER_PORT: '0' };

  it('--once counts what it sent, ends, and leaves nothing behind', async () => {
    const env = { ...ports, TMPDIR: folder.path };
    const { code, output } = await runToEnd('cli/rollcall.mjs', env, ['demo', '--once']);
    const [, sent, counted] = /(\d+) calls sent in [\d.]+ s, (\d+) counted/.exec(output) ?? [];
    expect(output).toContain('seed 1');
    expect(Number(sent)).toBeGreaterThan(200_000);
    expect(counted).toBe(sent);
    expect(code).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('goes on with live traffic, and every command it prints works', async () => {
    const store = `sqlite:${folder.path}/demo.db`;
    const args = ['demo', '--seed', '5', '--store', store];
    const { child, output, ended } = launch('cli/rollcall.mjs', ports, args);
    try {
      await waitFor('the shop to open', () => output().includes('The shop is open'), {
        withinMs: 100_000,
        context: output,
      });
      const commands = output().match(/^ {2}curl .*$/gm) ?? [];
      expect(commands).toHaveLength(3);
      for (const command of commands) {
        const { stdout } = await runShell('sh', ['-c', `${command.trim()} -sS --fail`]);
        expect(JSON.parse(stdout).endpoints.length).toBeGreaterThan(0);
      }
      const [, history] = /(\d+) counted/.exec(output()) ?? [];
      const [url] = /http:\/\/\S+\/api\/v1\/report/.exec(output()) ?? [];
      await waitFor('live calls', async () => (await totalRequests(url!)) > Number(history));
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toMatchObject({ code: 0, signal: null });
    expect(readdirSync(folder.path)).toContain('demo.db');
  });

  it('refuses a store that exists', async () => {
    const args = ['demo', '--store', 'sqlite:package.json'];
    const { code, output } = await runToEnd('cli/rollcall.mjs', {}, args);
    expect(output).toContain('needs a new store, and "package.json" exists already');
    expect(code).toBe(1);
  });

  it('refuses a public address without ROLLCALL_AUTH=off, with exit code 1', async () => {
    const { code, output } = await runToEnd('cli/rollcall.mjs', {}, ['demo', '--host', '0.0.0.0']);
    expect(output).toMatch(/^rollcall: the demo has no keys: listen on 127\.0\.0\.1/);
    expect(code).toBe(1);
  });
});

function spansOf(resources: ResourceSpans[]) {
  return resources.flatMap(({ attributes, scopes }) => {
    const service = attributes.find(({ key }) => key === 'service.name')!.value as string;
    return scopes.flatMap(({ spans }) => spans.map((span) => ({ service, span })));
  });
}

async function totalRequests(report: string): Promise<number> {
  const response = await fetch(`${report}?window=92d`);
  const { summary } = (await response.json()) as { summary: { total_requests: number } };
  return summary.total_requests;
}
