import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeTraces, type Span } from '../../collector/otlp/traces-encoder.ts';
import { callTo, serverSpan } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

/** A span that arrives twice, through a running collector and analyzer. */
const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`);
});

afterAll(async () => {
  await rollcall?.stop();
  folder.remove();
});

async function send(service: string, spans: Span[], scope = 'test'): Promise<void> {
  const attributes = [{ key: 'service.name', value: service }];
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: encodeTraces([{ attributes, scopes: [{ name: scope, spans }] }]),
  });
  expect(response.status, await response.text()).toBe(200);
}

async function callsOf(service: string): Promise<number> {
  const url = `${rollcall.addresses.analyzer}/api/v1/report?window=1h&service=${service}`;
  const report = (await (await fetch(url)).json()) as { summary: { total_requests: number } };
  return report.summary.total_requests;
}

async function duplicates(reason: string): Promise<number> {
  const metrics = await (await fetch(`${rollcall.addresses.otlp_http}/metrics`)).text();
  const line = `rollcall_spans_total{outcome="duplicate",reason="${reason}"} `;
  const found = metrics.split('\n').find((text) => text.startsWith(line));
  return Number(found?.slice(line.length) ?? 0);
}

const warnings = (service: string): number =>
  rollcall.output().split(`"service":"${service}","msg":"spans arrive twice`).length - 1;

const spans = (count: number): Span[] =>
  Array.from({ length: count }, () => serverSpan({ attributes: callTo('/items/:id') }));

test('two span processors: every call counts once, and one warning names the service', async () => {
  const before = await duplicates('same_span');
  for (let round = 0; round < 5; round += 1) {
    const batch = spans(10);
    await send('two-processors', batch, 'one');
    // The other processor cuts its batches elsewhere.
    await send('two-processors', batch.slice(0, 4), 'two');
    await send('two-processors', batch.slice(4), 'two');
  }
  expect(await callsOf('two-processors')).toBe(50);
  expect((await duplicates('same_span')) - before).toBe(50);
  expect(warnings('two-processors')).toBe(1);
});

test('copies sent at once, while nothing is committed yet, count once', async () => {
  const batch = spans(200);
  await Promise.all(
    Array.from({ length: 8 }, (_, n) => send('at-once', batch.slice(n * 5), `copy ${n}`)),
  );
  expect(await callsOf('at-once')).toBe(200);
});

test('a request that is sent again is a repeated delivery and warns of nothing', async () => {
  const before = { same: await duplicates('same_span'), repeated: await duplicates('') };
  const batch = spans(7);
  await send('retry', batch);
  await send('retry', batch);
  expect(await callsOf('retry')).toBe(7);
  expect(await duplicates('same_span')).toBe(before.same);
  expect((await duplicates('')) - before.repeated).toBe(7);
  expect(warnings('retry')).toBe(0);
});
