import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { protobufType, traces } from '../../support/export-request.ts';
import { startCollectorProcess, temporaryFolder } from '../../support/process.ts';

const folder = temporaryFolder();
let collector: Awaited<ReturnType<typeof startCollectorProcess>>;
beforeAll(async () => {
  collector = await startCollectorProcess(`${folder.path}/rollcall.db`);
});
afterAll(async () => {
  await collector.stop();
  folder.remove();
});

const post = async (path: string) => {
  const headers = { 'content-type': protobufType };
  const answer = await fetch(`${collector.url}${path}`, {
    method: 'POST',
    headers,
    body: traces(1),
  });
  return answer.status;
};

test('paths that exporters put together from a base URL with a path are taken, with one warning', async () => {
  for (const path of [
    '//v1/traces',
    '/v1/traces/v1/traces',
    '/v1/traces//v1/traces/',
    '/v1/v1/traces',
    '///v1///traces///',
    '/v1/metrics/v1/traces?x=1',
    '/v1/traces/v1/logs',
    '/v1/traces/v1development/profiles',
  ]) {
    expect([path, await post(path)]).toEqual([path, 200]);
  }
  const warnings = collector
    .output()
    .split('\n')
    .filter((line) => line.includes('OTEL_EXPORTER_OTLP_ENDPOINT'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('POST //v1/traces is taken as traces');
  expect(warnings[0]).toContain('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is the whole URL');
});

test('other paths are not taken', async () => {
  for (const path of [
    '/v1',
    '/v1/',
    '/v1/trace',
    '/api/v1/traces',
    '/v1/traces/x',
    '/v1/tracesv1/traces',
    `${'/v1/traces'.repeat(21)}`,
  ]) {
    expect([path, await post(path)]).toEqual([path, 404]);
  }
});

test('a gRPC call that ends without a message is answered at once, in the first bytes of a connection too', async () => {
  const session = connect(collector.grpcUrl);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end();
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
  });
  expect(headers['grpc-status']).toBe('13');
  expect(decodeURIComponent(String(headers['grpc-message']))).toBe(
    'the call ended before the 5 bytes that begin a message',
  );
  session.destroy();
}, 10_000);
