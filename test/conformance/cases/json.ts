import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import {
  encodeSpans,
  jsonSpan,
  jsonTraces,
  jsonType,
  serverSpan,
  traces,
} from '../../support/export-request.ts';
import { CaseList } from '../case.ts';
import { equal, matches } from '../check.ts';
import { rejectedOf, statusOf } from '../export-answer.ts';
import { storing } from '../own-target.ts';
import { post } from '../post.ts';
import type { Target } from '../target.ts';

/** docs/conformance.md J: OTLP/JSON, which is not protobuf's own JSON. */
const list = new CaseList();
export const jsonCases = list.cases;

/** Posts, and checks that it was taken whole. */
async function taken(target: Target, body: string, calls = 1): Promise<void> {
  const answer = await storing(target, calls, () => post(target, body, { type: jsonType }));
  equal([answer.status, rejectedOf(answer)], [200, '0']);
}

async function refused(target: Target, body: string, what = body.slice(0, 40)): Promise<string> {
  const answer = await storing(target, 0, () => post(target, body, { type: jsonType }));
  equal([answer.status, answer.headers['content-type']], [400, jsonType], what);
  equal(statusOf(answer).code, 3, what);
  return statusOf(answer).message;
}

list.http('J1', 'hex ids in either case; an empty parent is none', async (target) => {
  const { traceId, spanId } = jsonSpan() as { traceId: string; spanId: string };
  const upper = { traceId: traceId.toUpperCase(), spanId: spanId.toUpperCase(), parentSpanId: '' };
  await taken(target, jsonTraces(1, upper));
});

list.http('J1', 'an id of another length is rejected as in P4 (ours)', async (target) => {
  const body = jsonTraces(2, { traceId: 'abcd' });
  const answer = await storing(target, 0, () => post(target, body, { type: jsonType }));
  equal([answer.status, rejectedOf(answer)], [200, '2']);
});

list.http('J1', 'an id that is no hex rejects its span alone, as in P4 (ours)', async (target) => {
  const good = (JSON.parse(jsonTraces(1)) as { resourceSpans: unknown[] }).resourceSpans;
  for (const traceId of [
    'W47/95gDgQPSabYzgT/GDA==',
    '0af7651916cd43dd8448eb211c80319',
    'z'.repeat(32),
  ]) {
    const bad = JSON.parse(jsonTraces(1, { traceId })) as { resourceSpans: unknown[] };
    const body = JSON.stringify({ resourceSpans: [...bad.resourceSpans, ...good] });
    const answer = await storing(target, 1, () => post(target, body, { type: jsonType }));
    equal([answer.status, rejectedOf(answer)], [200, '1'], traceId);
    // The same good span is another delivery in the next body.
    good.splice(0, 1, ...(JSON.parse(jsonTraces(1)) as { resourceSpans: unknown[] }).resourceSpans);
  }
});

list.http('J2', 'enums as numbers', async (target) => {
  await taken(target, jsonTraces(1, { kind: 2, status: { code: 1 } }));
  await taken(target, jsonTraces(1, { kind: 1 }), 0);
});

list.http('J2', 'and as names; one that is none is 400', async (target) => {
  const status = { code: 'STATUS_CODE_ERROR' };
  await taken(target, jsonTraces(1, { kind: 'SPAN_KIND_SERVER', status }));
  matches(await refused(target, jsonTraces(1, { kind: 'SPAN_KIND_X' }), 'SPAN_KIND_X'), /kind/i);
});

list.http('J3', '64-bit integers as text and as numbers', async (target) => {
  const end = Date.now() * 1e6;
  await taken(target, jsonTraces(1, { startTimeUnixNano: end - 1e6, endTimeUnixNano: end }));
  await taken(target, jsonTraces(1));
  const attributes = [
    { key: 'http.request.method', value: { stringValue: 'GET' } },
    { key: 'http.response.status_code', value: { intValue: '200' } },
    { key: 'a', value: { doubleValue: 'NaN' } },
    { key: 'b', value: { doubleValue: '-Infinity' } },
    { key: 'c', value: { doubleValue: '1.5' } },
  ];
  await taken(target, jsonTraces(1, { attributes, flags: '1' }));
});

list.http('J3', 'with an exponent too (ours)', async (target) => {
  const attributes = [
    ...(jsonSpan().attributes as object[]),
    { key: 'http.request.body.size', value: { intValue: 1e21 / 1e18 } },
    { key: 'big', value: { intValue: '1e3' } },
  ];
  await taken(target, jsonTraces(1, { attributes }));
});

for (const value of ['3.f14', true, '18446744073709551616', -1, 0.5]) {
  list.http('J3', `a time of ${JSON.stringify(value)} is 400`, async (target) => {
    await refused(target, jsonTraces(1, { endTimeUnixNano: value }), JSON.stringify(value));
  });
}

list.inside('J3', 'a time as text is exact to the nanosecond', async (target) => {
  const endNs = (BigInt(Date.now()) / 1000n) * 1_000_000_000n - 1n;
  const times = { startTimeUnixNano: String(endNs - 10n), endTimeUnixNano: String(endNs) };
  await taken(target, jsonTraces(1, times).replace('"shop"', '"exact-json"'));
  const found = (await target.inside.endpoints()).find(({ service }) => service === 'exact-json');
  equal(found?.last_called_at, new Date(Number(endNs / 1_000_000n)).toISOString());
});

list.http('J4', 'snake_case names', async (target) => {
  const snake = jsonTraces(1).replace(/[a-z][A-Z]/g, ([a, b]) => `${a}_${b!.toLowerCase()}`);
  matches(snake, /"end_time_unix_nano"/);
  await taken(target, snake);
});

list.http('J5', 'unknown fields at every level', async (target) => {
  const later = { a: [1, { b: null }], c: 'x', d: -1.5e-3, e: true };
  const { resourceSpans } = JSON.parse(jsonTraces(1, { later, droppedLinksCount: 1 }));
  const [{ resource, scopeSpans }] = resourceSpans;
  const body = {
    later,
    resourceSpans: [
      { later, resource: { ...resource, later }, scopeSpans: [{ ...scopeSpans[0], later }] },
    ],
  };
  await taken(target, JSON.stringify(body));
});

list.http('J5', 'null for any field', async (target) => {
  const none = { events: null, links: null, traceState: null, status: null, parentSpanId: null };
  await taken(target, jsonTraces(1, { ...none, flags: null }));
  await taken(target, '{"resourceSpans":null}', 0);
  await taken(target, '{"resourceSpans":[{"resource":null,"scopeSpans":null}]}', 0);
});

for (const [name, bytesValue] of [
  ['standard', '+/+/AA=='],
  ['URL-safe', '-_-_AA'],
] as const) {
  list.http('J5', `bytes as base64, the ${name} alphabet`, async (target) => {
    const attributes = [
      ...(jsonSpan().attributes as object[]),
      { key: 'b', value: { bytesValue } },
    ];
    await taken(target, jsonTraces(1, { attributes }));
  });
}

list.http('J6', 'empty requests', async (target) => {
  for (const body of ['{}', '{"resourceSpans":[]}', ' {} \n']) await taken(target, body, 0);
});

list.http('J6', 'a byte order mark', (target) => taken(target, `\ufeff${jsonTraces(1)}`));

list.http('J6', 'escapes of surrogates', async (target) => {
  const body = jsonTraces(1, { name: '@' }).replace('"@"', '"\\ud83d\\ude00 \\u00e9 \\ud83d"');
  await taken(target, body);
});

for (const body of ['1234', '[]', '""', '', '{"resourceSpans":[', '{} {}', 'nonsense']) {
  list.http('J6', `${JSON.stringify(body)} is 400`, async (target) => {
    await refused(target, body);
  });
}

list.http('J7', "opentelemetry-proto's example, of 2018", async (target) => {
  const example = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
    "scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0","attributes":[{"key":"my.scope.attribute",
    "value":{"stringValue":"some scope attribute"}}]},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
    "spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173","name":"I'm a server span",
    "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
    "attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]}`;
  const answer = await storing(target, 0, () => post(target, example, { type: jsonType }));
  equal(answer.status, 200);
});

list.http('J8', 'attributes with an empty value, without one, without a key', async (target) => {
  const attributes = [
    ...(jsonSpan().attributes as object[]),
    { key: 'empty', value: {} },
    { key: 'missing' },
    { key: 'null', value: null },
    {},
  ];
  await taken(target, jsonTraces(1, { attributes }));
});

list.inside('J4', 'a request means the same in both encodings', async (target) => {
  // The same bytes in two encodings are two deliveries.
  const span = serverSpan();
  await storing(target, 1, () => post(target, encodeSpans([span])));
  await taken(target, jsonTraces(1));
  const rows = (await target.inside.endpoints()).filter(
    ({ service, route }) => service === 'shop' && route === '/users/{id}',
  );
  equal(rows.length, 1, 'endpoints');
});

list.http(
  'J6',
  'JSON under the Content-Type of protobuf, and the other way round',
  async (target) => {
    equal((await storing(target, 0, () => post(target, jsonTraces(1)))).status, 400);
    const other = await storing(target, 0, () => post(target, traces(1), { type: jsonType }));
    equal(other.status, 400);
    equal((await post(target, encodeTraces([]))).status, 200);
  },
);
