import { afterAll, expect, test } from 'vitest';
import { encodeTraces, type Span } from '../../collector/otlp/encode.ts';
import { connections, postTraces } from '../load/post.ts';
import { askReport } from '../load/report.ts';
import { startAnalyzerProcess, startCollectorProcess, temporaryFolder } from '../process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** More than one batch and one rollup are made for (core/limits.ts): found under overload, as lost calls. */
const calls = 150_000;

test('one body with more calls than a batch holds is counted whole', async () => {
  const storePath = `${folder.path}/rollcall.db`;
  const collector = await startCollectorProcess(storePath);
  const analyzer = await startAnalyzerProcess(storePath);
  const nowMs = Date.now();
  const span: Span = {
    traceId: Buffer.alloc(16, 1),
    spanId: Buffer.alloc(8, 2),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: BigInt(nowMs) * 1_000_000n - 5_000_000n,
    endTimeUnixNano: BigInt(nowMs) * 1_000_000n,
    attributes: [
      { key: 'http.request.method', value: 'GET' },
      { key: 'http.route', value: '/large' },
      { key: 'http.response.status_code', value: 200 },
    ],
  };
  const spans: Span[] = Array(calls).fill(span);
  const body = encodeTraces([{ attributes: [], scopes: [{ name: '', spans }] }]);
  const agent = connections(1);
  expect((await postTraces(collector.url, agent, body)).status).toBe(200);
  agent.destroy();

  const nowS = Math.floor(nowMs / 1000);
  const report = await askReport(analyzer.url, { fromS: nowS - 3600, toS: nowS + 3600 });
  expect(report.endpoints.map((row) => [row.route, row.total_calls, row.p50_duration_ms])).toEqual([
    ['/large', calls, 5],
  ]);
  await analyzer.stop();
  await collector.stop();
});
