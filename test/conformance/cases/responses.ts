import { connect } from 'node:net';
import { answers } from '../../../collector/otlp/responses.ts';
import {
  encodeSpans,
  jsonTraces,
  jsonType,
  protobufType,
  serverSpan,
  traces,
} from '../../support/export-request.ts';
import { CaseList } from '../case.ts';
import { among, equal, holds, matches, waitFor } from '../check.ts';
import { crowded } from '../crowd.ts';
import type { Answer } from '../exchange.ts';
import { badRequestOf, partialOf, rejectedOf, statusOf } from '../export-answer.ts';
import { post } from '../post.ts';
import { requestHead } from '../raw-connection.ts';
import type { Target } from '../target.ts';

/** docs/conformance.md R: what exactly is answered. */
const list = new CaseList();
export const responseCases = list.cases;
const json = { type: jsonType };

list.http(
  'R1',
  'success is 200 with an export response that has no partial success',
  async (target) => {
    const protobuf = await post(target, traces(1));
    equal([protobuf.status, rejectedOf(protobuf)], [200, '0']);
    equal(protobuf.headers['content-length'], String(protobuf.body.length), 'Content-Length');
    const answer = await post(target, jsonTraces(1), json);
    equal(answer.status, 200);
    // An empty partialSuccess says the same.
    among(answer.body.toString(), ['{}', '{"partialSuccess":{}}']);
    equal(answer.headers['content-length'], String(answer.body.length), 'Content-Length');
  },
);

list.inside('R1', 'no byte more than that', async (target) => {
  equal((await post(target, traces(1))).body.length, 0);
  equal((await post(target, jsonTraces(1), json)).body.toString(), '{}');
});

list.http('R2', 'Content-Type is exact, whatever the request said', async (target) => {
  const type = 'application/json; charset=utf-8';
  equal((await post(target, jsonTraces(1), { type })).headers['content-type'], jsonType);
  equal((await post(target, '{', { type })).headers['content-type'], jsonType);
  equal((await post(target, traces(1))).headers['content-type'], protobufType);
  equal((await post(target, Buffer.from([0xff]))).headers['content-type'], protobufType);
});

/** A call, one that ends an hour from now, one that never ended. */
function partlyWrong(): Buffer {
  const endTimeUnixNano = BigInt(Date.now() + 3_600_000) * 1_000_000n;
  const future = serverSpan({ endTimeUnixNano, startTimeUnixNano: endTimeUnixNano - 1n });
  return encodeSpans([serverSpan(), future, serverSpan({ endTimeUnixNano: 0n })]);
}

list.http('R3', 'an answer that names no rejected span, or how many and why', async (target) => {
  const answer = await post(target, partlyWrong());
  equal([answer.status, answer.headers['content-type']], [200, protobufType]);
  const partial = partialOf(answer);
  if (partial?.rejected) holds(partial.errorMessage !== '', 'expected a reason, got none');
});

list.inside('R3', 'two of three spans, in both encodings, also when repeated', async (target) => {
  const body = partlyWrong();
  for (const delivery of ['first', 'repeated']) {
    const answer = await post(target, body);
    equal([answer.status, partialOf(answer)?.rejected], [200, '2'], delivery);
    matches(
      partialOf(answer)?.errorMessage,
      /^2 spans were not counted: .*600 s in the future/,
      delivery,
    );
  }
  const answer = await post(target, jsonTraces(1, { traceId: 'ab' }), json);
  const { partialSuccess } = JSON.parse(answer.body.toString());
  equal(partialSuccess.rejectedSpans, '1');
  equal(answer.headers['retry-after'], undefined, 'Retry-After');
});

list.http('R4', 'a Status in the encoding of the request', async (target) => {
  const protobuf = await post(target, traces(1).subarray(0, -1));
  equal([protobuf.status, protobuf.headers['content-type']], [400, protobufType]);
  equal(statusOf(protobuf).code, 3);
  holds(statusOf(protobuf).message !== '', 'expected a message, got none');
  const answer = await post(target, '{"resourceSpans":1}', json);
  equal([answer.status, answer.headers['content-type']], [400, jsonType]);
  equal(statusOf(answer).code, 3);
});

list.http('R4', 'on 404 too (ours)', async (target) => {
  const missing = await post(target, '{}', { path: '/v1/nothing', ...json });
  equal([missing.status, missing.headers['content-type']], [404, jsonType]);
  equal(statusOf(missing).code, 12);
});

list.http(
  'R5',
  'undecodable data is 400 with a BadRequest that says what was wrong',
  async (target) => {
    const protobuf = await post(target, traces(1).subarray(0, -1));
    equal(protobuf.status, 400);
    equal(badRequestOf(protobuf)?.fieldViolations.length, 1, 'violations in protobuf');
    const answer = await post(target, '{"resourceSpans":1}', json);
    const { details } = JSON.parse(answer.body.toString());
    equal(details?.[0]?.['@type'], 'type.googleapis.com/google.rpc.BadRequest', 'detail in JSON');
    equal(details[0].fieldViolations[0].field, 'resourceSpans');
  },
);

list.inside('R6', 'gRPC code and HTTP status of every error belong together', async () => {
  const { conflict, internal, ...others } = answers;
  const codes = new Map(Object.values(others).map((each) => [each.httpStatus, each.rpcCode]));
  const expected = [
    [400, 3],
    [401, 16],
    [403, 7],
    [404, 12],
    [413, 2],
    [415, 2],
    [429, 8],
    [503, 14],
  ];
  equal([...codes].sort(), expected);
  equal([conflict.httpStatus, internal.httpStatus], [500, 500]);
});

list.http('R6', '400 is 3', async (target) => {
  const answer = await post(target, '{', json);
  equal([answer.status, statusOf(answer).code], [400, 3]);
});

/** Requests that no repetition makes better. */
function hopeless(target: Target): [string, Promise<Answer>][] {
  return [
    ['protobuf', post(target, traces(1).subarray(1))],
    ['JSON', post(target, '{', json)],
    ['gzip', post(target, 'x', { headers: { 'content-encoding': 'gzip' } })],
    ['zstd', post(target, 'x', { headers: { 'content-encoding': 'zstd' } })],
    ['type', post(target, 'x', { type: 'text/plain' })],
    ['path', post(target, 'x', { path: '/x' })],
    ['method', post(target, 'x', { method: 'PUT' })],
  ];
}

list.http('R7', 'no Retry-After where repetition cannot help', async (target) => {
  for (const [what, answered] of hopeless(target)) {
    equal((await answered).headers['retry-after'], undefined, what);
  }
});

list.inside('R7', '1 s on 429, the code 8', async (target) => {
  const answer = await crowded(target, () => post(target, Buffer.alloc(10 * 2 ** 20)));
  equal([answer.status, answer.headers['retry-after'], statusOf(answer).code], [429, '1', 8]);
});

list.http('R8', 'bad data is never a 5xx or 408', async (target) => {
  for (const [what, answered] of hopeless(target)) {
    const { status } = await answered;
    holds(status >= 400 && status < 500 && status !== 408, `${what}: got ${status}`);
  }
});

list.http('R9', 'a message is cut at its bound', async (target) => {
  const answer = await post(target, jsonTraces(1, { kind: 'é'.repeat(100_000) }), json);
  equal(answer.headers['content-type'], jsonType);
  holds(answer.body.length < 4096, `expected less than 4096 bytes, got ${answer.body.length}`);
});

list.http('R10', 'an answer is not compressed', async (target) => {
  const headers = { 'accept-encoding': 'gzip, br' };
  for (const body of ['{', jsonTraces(1)]) {
    const answer = await post(target, body, { ...json, headers });
    equal(answer.headers['content-encoding'], undefined);
    holds(answer.body.toString().startsWith('{'), 'expected JSON');
  }
});

/** Sends and goes away without reading the answer. */
async function sendAndLeave(target: Target, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(target.httpUrl);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.write(bytes, resolve));
  socket.destroy();
}

list.http('R11', 'after clients that went away others are served', async (target) => {
  const body = traces(3);
  const whole = Buffer.concat([Buffer.from(requestHead(body.length)), body]);
  for (const end of [20, 150, whole.length - 10])
    await sendAndLeave(target, whole.subarray(0, end));
  equal((await post(target, traces(1))).status, 200);
});

list.inside(
  'R11',
  'half a body is nothing, a whole one is kept and counted once',
  async (target) => {
    const body = traces(3);
    const whole = Buffer.concat([Buffer.from(requestHead(body.length)), body]);
    const { counter, stored } = target.inside;
    const before = await stored();
    const aborted = () => counter('rollcall_requests_total{transport="http",code="aborted"}');
    const abortedBefore = await aborted();
    await sendAndLeave(target, whole.subarray(0, -100));
    await waitFor('the aborted request', async () => (await aborted()) > abortedBefore);
    equal(await stored(), before, 'calls stored of half a body');
    await sendAndLeave(target, whole);
    await waitFor('the calls of a whole body', async () => (await stored()) === before + 3);
    // The exporter's retry is acknowledged and not counted again.
    equal((await post(target, body)).status, 200);
    equal(await stored(), before + 3, 'calls stored after the repetition');
  },
);
