import { get } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { type Running, startAnalyzerProcess, temporaryFolder } from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/** A real analyzer with 3,000 endpoints, and more askers than it can answer at once. */
const endpoints = 3_000;
let folder: ReturnType<typeof temporaryFolder>;
let analyzer: Running & { url: string };

beforeAll(async () => {
  folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const dictionary = new CallDictionary();
  const batch = new CallBatch();
  for (let n = 0; n < endpoints; n++) {
    const i = batch.push();
    const { columns } = batch;
    const name = { project: 'default', service: 'shop', environment: '', method: 'GET' };
    const route = `/r${n}/{id}`;
    columns.endpoint[i] = dictionary.endpoint({ ...name, route, templated: false });
    const origin = { serviceVersion: '1', consumer: '', agent: '', bot: false, errorType: '' };
    columns.origin[i] = dictionary.origin(origin);
    columns.client[i] = dictionary.client(`192.0.2.${n % 200}`);
    columns.status[i] = 200;
    columns.durationNs[i] = 1_000_000 + n;
    columns.endS[i] = Math.floor(Date.now() / 1000) - 60;
    columns.endNs[i] = 0;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  }
  const digest = new Uint8Array(16);
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
  await writer.append(batch, dictionary.takeNew());
  await writer.compact();
  await writer.close();
  analyzer = await startAnalyzerProcess(path);
  await ask('/api/v1/report').answer;
});
afterAll(async () => {
  await analyzer?.stop();
  folder.remove();
});

interface Answered {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

/** One request on a connection of its own, which `leave` closes. */
function ask(path: string): { answer: Promise<Answered>; leave(): void } {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const sent = get(`${analyzer.url}${path}`, { agent: false }, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('error', reject);
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      const body = Buffer.concat(parts).toString();
      resolve({ status, retryAfter: headers['retry-after'], body });
    });
  });
  sent.on('error', reject);
  promise.catch(() => {});
  return { answer: promise, leave: () => sent.destroy() };
}

const report = (n: number) => ask(`/api/v1/report?window=${n + 1}h`);

async function metric(name: string): Promise<number> {
  const { body } = await ask('/metrics').answer;
  const line = body.split('\n').find((text) => text.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
const queries = (outcome: string) => metric(`rollcall_queries_total{outcome="${outcome}"}`);
const waiting = () => metric('rollcall_queries_waiting');

test('probes and files are answered while fifty reports wait', async () => {
  let answered = 0;
  const reports = Array.from({ length: 50 }, (_, n) => report(n).answer);
  for (const answer of reports) answer.then(() => answered++);
  await waitFor('reports wait', async () => (await waiting()) >= 25, { everyMs: 0 });
  for (let n = 0; n < 5; n++) {
    expect((await ask('/healthz').answer).status).toBe(200);
    expect((await ask('/').answer).status).toBe(200);
    expect((await ask('/api/v1/report?window=soon').answer).status).toBe(400);
  }
  expect(answered).toBeLessThan(50);
  for (const { status, body } of await Promise.all(reports)) {
    expect(status).toBe(200);
    expect(JSON.parse(body).endpoints).toHaveLength(endpoints);
  }
});

test('64 queries of a project wait; further ones are 429 with the bound and a time', async () => {
  const asked = Array.from({ length: 75 }, (_, n) => report(100 + n));
  const refused: Answered[] = [];
  for (const { answer } of asked) {
    answer.then((answered) => {
      if (answered.status === 429) refused.push(answered);
    });
  }
  await waitFor('some are refused', () => refused.length > 0);
  const { retryAfter, body } = refused[0]!;
  expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
  expect(Number(retryAfter)).toBeLessThanOrEqual(60);
  expect(JSON.parse(body)).toEqual({
    error: {
      code: 'throttled',
      message: `64 queries of this project wait for their answers; at most 64 may; try again in ${retryAfter} s`,
      field: null,
    },
  });
  const statuses = (await Promise.all(asked.map(({ answer }) => answer))).map(
    ({ status }) => status,
  );
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(65);
  expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
});

test('fifty askers of one report cost a few computations', async () => {
  const before = await queries('answered');
  const asked = Array.from({ length: 50 }, () => ask('/api/v1/report?window=31d').answer);
  const bodies = new Set((await Promise.all(asked)).map(({ body }) => body.length));
  expect(bodies.size).toBe(1);
  expect((await queries('answered')) - before).toBeLessThan(25);
});

test('reports whose askers left are not computed', async () => {
  const [answered, abandoned] = [await queries('answered'), await queries('abandoned')];
  const asked = Array.from({ length: 60 }, (_, n) => report(300 + n));
  await waitFor('reports wait', async () => (await waiting()) >= 30, { everyMs: 0 });
  for (const { leave } of asked) leave();
  await waitFor('nothing waits', async () => (await waiting()) === 0);
  expect((await ask('/api/v1/services').answer).status).toBe(200);
  const dropped = (await queries('abandoned')) - abandoned;
  expect(dropped).toBeGreaterThanOrEqual(30);
  // The report under way may have ended first; /services is one more.
  expect((await queries('answered')) - answered).toBeLessThanOrEqual(60 - dropped + 2);
});
