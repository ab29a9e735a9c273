import { afterAll, expect, test } from 'vitest';
import { connections, postTraces } from '../labs/load/post.ts';
import { askReport } from '../labs/load/report.ts';
import { callTo, copiesOf, encodeSpans, serverSpan } from '../support/export-request.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** More than one batch and one rollup are made for (core/limits.ts): found under overload, as lost calls. */
const calls = 150_000;

test('one body with more calls than a batch holds is counted whole', async () => {
  const storePath = `${folder.path}/rollcall.db`;
  const collector = await startCollectorProcess(storePath);
  const analyzer = await startAnalyzerProcess(storePath);
  const nowS = Math.floor(Date.now() / 1000);
  const body = encodeSpans(copiesOf(serverSpan({ attributes: callTo('/large') }), calls));
  const agent = connections(1);
  expect((await postTraces(collector.url, agent, body)).status).toBe(200);
  agent.destroy();

  const report = await askReport(analyzer.url, { fromS: nowS - 3600, toS: nowS + 3600 });
  expect(report.endpoints.map((row) => [row.route, row.total_calls, row.p50_duration_ms])).toEqual([
    ['/large', calls, 5],
  ]);
  await analyzer.stop();
  await collector.stop();
});
