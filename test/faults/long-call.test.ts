import { afterAll, expect, test } from 'vitest';
import { partialOf } from '../conformance/export-answer.ts';
import { protobufType, traces } from '../support/export-request.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('a span that starts 1 ns after the epoch counts without a latency, before and after a kill -9', async () => {
  const storePath = `${folder.path}/rollcall.db`;
  const collector = await startCollectorProcess(storePath);
  const analyzer = await startAnalyzerProcess(storePath);
  const headers = { 'content-type': protobufType };
  const export1 = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers,
    body: traces(1, { startTimeUnixNano: 1n }),
  });
  expect(export1.status).toBe(200);
  // Nothing is rejected, and the sender is told.
  const told = partialOf({
    status: 200,
    headers: { 'content-type': protobufType },
    body: Buffer.from(await export1.arrayBuffer()),
  } as Parameters<typeof partialOf>[0]);
  expect(told?.errorMessage).toContain('1 spans start more than 25 days before their end');
  expect(Number(told?.rejected ?? 0)).toBe(0);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain('rollcall_calls_repaired_total{repair="duration_dropped"} 1\n');
  const report = async () => {
    const response = await fetch(`${analyzer.url}/api/v1/report?window=1h`);
    expect(response.status).toBe(200);
    return ((await response.json()) as { endpoints: object[] }).endpoints;
  };
  // Before the call is rolled up, which takes two seconds.
  const counted = {
    total_calls: 1,
    lifetime_calls: 1,
    avg_duration_ms: null,
    max_duration_ms: null,
  };
  expect(await report()).toMatchObject([counted]);
  await collector.stop('SIGKILL');
  const again = await startCollectorProcess(storePath);
  expect(await report()).toMatchObject([counted]);
  await again.stop();
  expect(await report()).toMatchObject([counted]);
  await analyzer.stop();
});
