import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { isLarge } from '../../../collector/ingest/large-message.ts';
import { limits } from '../../../core/limits.ts';
import { counterOf, storedSpans } from '../../conformance/exchange.ts';
import { connections, postTraces } from '../../labs/load/post.ts';
import { askReport } from '../../labs/load/report.ts';
import { callTo, copiesOf, encodeSpans, serverSpan } from '../../support/export-request.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/** Messages that are taken in slices: whole or not at all, once, and without holding up small ones. */
const folder = temporaryFolder();
const agent = connections(4);
const nowMs = Date.now();
let stores = 0;
let storePath: string;
let collector: Awaited<ReturnType<typeof startCollectorProcess>>;

beforeEach(async () => {
  stores += 1;
  storePath = `${folder.path}/${stores}.db`;
  collector = await startCollectorProcess(storePath);
});

afterEach(() => collector.stop());

afterAll(() => {
  agent.destroy();
  folder.remove();
});

function messageOf(count: number, route = '/large'): Buffer {
  return encodeSpans(copiesOf(serverSpan({ attributes: callTo(route) }), count));
}

/** More than ten slices. */
const calls = 100_000;

async function callsByRoute(): Promise<Record<string, number>> {
  const analyzer = await startAnalyzerProcess(storePath);
  const nowS = Math.floor(nowMs / 1000);
  const report = await askReport(analyzer.url, { fromS: nowS - 3600, toS: nowS + 3600 });
  await analyzer.stop();
  return Object.fromEntries(report.endpoints.map((row) => [row.route, row.total_calls]));
}

test('a body that is malformed at its very end leaves nothing behind', async () => {
  const good = messageOf(calls);
  expect(isLarge(good)).toBe(true);
  const bad = messageOf(1, '/bad');
  // The length of the last attribute's value, which is a tag and two bytes of a number.
  bad[bad.length - 4] = 0x7f;
  const answer = await postTraces(collector.url, agent, Buffer.concat([good, bad]));
  expect(answer.status).toBe(400);
  expect(answer.body.toString('latin1')).toMatch(/malformed protobuf/);
  expect(await callsByRoute()).toEqual({});
});

test('sent again it is not counted again; killed half-way and sent again it is counted once', async () => {
  const body = messageOf(calls);
  expect((await postTraces(collector.url, agent, body)).status).toBe(200);
  expect((await postTraces(collector.url, agent, body)).status).toBe(200);
  expect(await callsByRoute()).toEqual({ '/large': calls });

  const other = messageOf(calls, '/other');
  const cut = postTraces(collector.url, agent, other).catch(() => 'cut');
  await waitFor('all calls', async () => (await storedCalls()) >= calls + 1);
  await collector.stop('SIGKILL');
  expect(await cut).toBe('cut');
  collector = await startCollectorProcess(storePath);
  expect((await postTraces(collector.url, agent, other)).status).toBe(200);
  expect(await callsByRoute()).toEqual({ '/large': calls, '/other': calls });
});

test('small messages are committed while a large one is being taken', async () => {
  const order: string[] = [];
  const large = postTraces(collector.url, agent, messageOf(calls)).then(() => order.push('large'));
  await waitFor('the first slice', async () => (await storedCalls()) > 0, { everyMs: 1 });
  const small = messageOf(1, '/small');
  expect(small.length).toBeLessThan(limits.largeMessageBytes);
  await postTraces(collector.url, agent, small).then(() => order.push('small'));
  await large;
  expect(order).toEqual(['small', 'large']);
  expect(await callsByRoute()).toEqual({ '/large': calls, '/small': 1 });
});

function storedCalls(): Promise<number> {
  return counterOf(collector.url, storedSpans);
}
