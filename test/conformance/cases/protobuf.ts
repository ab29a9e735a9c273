import { randomBytes } from 'node:crypto';
import { type AnyValue, encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import {
  bytesField,
  doubleField,
  type Field,
  fixed32Field,
  fixed64Field,
  groupField,
  varintField,
} from '../../collector/support/wire.ts';
import {
  callAttributes,
  encodeSpans,
  protobufType,
  serverSpan,
  traces,
} from '../../support/export-request.ts';
import { CaseList } from '../case.ts';
import { equal, holds, matches } from '../check.ts';
import { partialOf, rejectedOf, statusOf } from '../export-answer.ts';
import { storing } from '../own-target.ts';
import { post } from '../post.ts';
import type { OwnTarget } from '../target.ts';

/** docs/conformance.md P: protobuf, as any encoder may write it. */
const list = new CaseList();
export const protobufCases = list.cases;

list.http('P1', 'an empty body, and envelopes without spans', async (target) => {
  for (const body of [
    Buffer.alloc(0),
    encodeTraces([{ attributes: [], scopes: [] }]),
    encodeTraces([{ attributes: [], scopes: [{ name: 'x', spans: [] }] }]),
  ]) {
    const answer = await storing(target, 0, () => post(target, body));
    equal([answer.status, rejectedOf(answer)], [200, '0']);
  }
});

/** The fields of a SERVER span, in the order of their numbers. */
function spanFields(route: string, more: Field[] = []): Field[] {
  const endNs = BigInt(Date.now()) * 1_000_000n;
  return [
    bytesField(1, randomBytes(16)),
    bytesField(2, randomBytes(8)),
    bytesField(5, `GET ${route}`),
    varintField(6, 2),
    fixed64Field(7, endNs - 5_000_000n),
    fixed64Field(8, endNs),
    attribute(9, 'http.request.method', bytesField(1, 'GET')),
    attribute(9, 'http.route', bytesField(1, route)),
    attribute(9, 'http.response.status_code', varintField(3, 200)),
    ...more,
  ];
}

function attribute(number: number, key: string, value: Field): Field {
  return bytesField(number, Buffer.concat([bytesField(1, key), bytesField(2, value)]));
}

function resource(service: string): Field {
  return bytesField(1, attribute(1, 'service.name', bytesField(1, service)));
}

const unknown: Record<string, Field[]> = {
  varint: [varintField(100, 2n ** 64n - 1n), varintField(536_870_911, 1)],
  'of 64 bits': [fixed64Field(1001, 7n), doubleField(101, 0.5)],
  'of a length': [bytesField(20_000, Buffer.alloc(300, 0xff)), bytesField(100, '')],
  'of 32 bits': [fixed32Field(100, 0xffffffff)],
  group: [groupField(100, [varintField(1, 1), groupField(2, [bytesField(3, 'x')])])],
};

for (const [wireType, fields] of Object.entries(unknown)) {
  list.http('P2', `unknown fields at every level: ${wireType}`, async (target) => {
    const span = bytesField(2, Buffer.concat([...fields, ...spanFields('/unknown'), ...fields]));
    const scopeSpans = bytesField(2, Buffer.concat([...fields, span, ...fields]));
    const resourceSpans = bytesField(1, Buffer.concat([resource('shop'), ...fields, scopeSpans]));
    const body = Buffer.concat([...fields, resourceSpans, ...fields]);
    equal((await storing(target, 1, () => post(target, body))).status, 200);
  });
}

list.http('P2', 'fields in the opposite order, resources behind their spans', async (target) => {
  const spans = [1, 2].map((n) =>
    bytesField(2, Buffer.concat(spanFields(`/order/${n}`).reverse())),
  );
  const body = bytesField(
    1,
    Buffer.concat([bytesField(2, Buffer.concat(spans)), resource('late')]),
  );
  equal((await storing(target, 2, () => post(target, body))).status, 200);
});

list.inside('P2', 'a resource in two pieces, around the spans, is one', async (target) => {
  const scopeSpans = () =>
    bytesField(2, bytesField(2, Buffer.concat(spanFields('/merged').reverse())));
  const first = bytesField(1, attribute(1, 'telemetry.sdk.name', bytesField(1, 'x')));
  const body = bytesField(
    1,
    Buffer.concat([scopeSpans(), first, scopeSpans(), resource('merged'), scopeSpans()]),
  );
  equal((await storing(target, 3, () => post(target, body))).status, 200);
  equal(await callsOf(target, 'merged', '/merged'), 3);
});

/** Calls that the report counts for a GET of this route. */
async function callsOf(target: OwnTarget, service: string, route: string): Promise<number> {
  const found = (await target.inside.endpoints()).filter(
    (each) => each.service === service && each.route === route && each.method === 'GET',
  );
  return found.reduce((sum, each) => sum + each.total_calls, 0);
}

list.http('P3', 'cut short or garbage is 400, and nothing of it is stored', async (target) => {
  const body = traces(5);
  const bodies = [
    ...[1, 10, body.length >> 1, body.length - 1].map((end) => body.subarray(0, end)),
    Buffer.from('GET / HTTP/1.1'),
    Buffer.concat([traces(2), Buffer.from([0xff])]),
    Buffer.from('0affffffffffffffffff01', 'hex'),
  ];
  for (const [n, bad] of bodies.entries()) {
    const answer = await storing(target, 0, () => post(target, bad));
    equal([answer.status, answer.headers['content-type']], [400, protobufType], `body ${n}`);
    equal(statusOf(answer).code, 3, `body ${n}: code`);
  }
});

list.http(
  'P4',
  'a span with an id of another length is rejected, the rest taken',
  async (target) => {
    const bad = [
      serverSpan({ traceId: Buffer.alloc(15, 1) }),
      serverSpan({ spanId: Buffer.alloc(7, 1) }),
      serverSpan({ traceId: Buffer.alloc(17, 1) }),
    ];
    const body = encodeSpans([serverSpan(), ...bad, serverSpan()]);
    const answer = await storing(target, 2, () => post(target, body));
    equal(answer.status, 200);
    equal(partialOf(answer)?.rejected, '3', 'rejected spans');
    matches(partialOf(answer)?.errorMessage, /16 bytes/);
  },
);

list.inside('P4', 'and counted by its reason', async (target) => {
  for (const [reason, bad] of [
    ['trace_id', serverSpan({ traceId: Buffer.alloc(3, 1) })],
    ['span_id', serverSpan({ spanId: Buffer.alloc(9, 1) })],
  ] as const) {
    const name = `rollcall_spans_total{outcome="rejected",reason="${reason}"}`;
    const before = await target.inside.counter(name);
    await post(target, encodeSpans([bad]));
    equal((await target.inside.counter(name)) - before, 1, reason);
  }
});

list.http('P5', 'trace state, and flags whose upper 22 bits are set', async (target) => {
  // Bits 8 and 9 say: a parent, if any, is remote.
  for (const flags of [0, 1, 0x301, 0xffff_ff01]) {
    const span = serverSpan({ flags, traceState: 'vendor=1,other=a:b' });
    const answer = await storing(target, 1, () => post(target, encodeSpans([span])));
    equal([answer.status, rejectedOf(answer)], [200, '0'], `flags ${flags.toString(16)}`);
  }
});

function nested(depth: number): AnyValue {
  let value: AnyValue = 'leaf';
  for (let level = 0; level < depth; level += 1) {
    value = level % 2 === 0 ? { array: [value] } : { kvlist: [{ key: 'k', value }] };
  }
  return value;
}

const values: Record<string, AnyValue> = {
  string: 'x',
  bool: true,
  int: -(2n ** 63n),
  double: { double: Number.NaN },
  bytes: { bytes: Buffer.from([0, 255]) },
  array: { array: ['a', 1, { empty: true }] },
  kvlist: { kvlist: [{ key: 'a', value: { array: [] } }] },
  empty: { empty: true },
  'nested 32 deep': nested(32),
};

for (const [kind, value] of Object.entries(values)) {
  list.http('P6', `a value on any attribute: ${kind}`, async (target) => {
    const attributes = [
      { key: 'custom', value },
      { key: 'url.path', value },
      { key: 'client.address', value },
      { key: 'user_agent.original', value },
      ...callAttributes,
    ];
    const body = encodeTraces([
      {
        attributes: [
          { key: 'service.name', value: 'shop' },
          { key: 'host.id', value },
        ],
        scopes: [{ name: 'test', spans: [serverSpan({ attributes })] }],
      },
    ]);
    const answer = await storing(target, 1, () => post(target, body));
    equal([answer.status, rejectedOf(answer)], [200, '0']);
  });
}

list.http('P6', 'a value nested 500 deep is taken or refused', async (target) => {
  const span = serverSpan({ attributes: [...callAttributes, { key: 'deep', value: nested(500) }] });
  const { status } = await post(target, encodeSpans([span]));
  holds(status === 200 || status === 400, `expected 200 or 400, got ${status}`);
  equal((await post(target, traces(1))).status, 200, 'the next request');
});

list.http('P6', 'indexes into a table of strings', async (target) => {
  const indexed = [
    bytesField(9, Buffer.concat([varintField(3, 7), bytesField(2, varintField(8, 9))])),
    bytesField(9, Buffer.concat([bytesField(1, 'k'), bytesField(2, varintField(8, 9))])),
  ];
  const span = bytesField(2, Buffer.concat(spanFields('/indexed', indexed)));
  const body = bytesField(1, Buffer.concat([resource('shop'), bytesField(2, span)]));
  equal((await storing(target, 1, () => post(target, body))).status, 200);
});

list.inside('P6', 'of duplicate keys the last one counts (ours)', async (target) => {
  const again = [attribute(9, 'http.route', bytesField(1, '/second'))];
  const span = bytesField(2, Buffer.concat(spanFields('/first', again)));
  const body = bytesField(1, Buffer.concat([resource('twice'), bytesField(2, span)]));
  equal((await storing(target, 1, () => post(target, body))).status, 200);
  equal(await callsOf(target, 'twice', '/second'), 1);
});

list.http('P7', 'instrumentation_library_spans are ignored', async (target) => {
  const span = bytesField(2, Buffer.concat(spanFields('/legacy')));
  const body = bytesField(1, Buffer.concat([resource('legacy'), bytesField(1000, span)]));
  const answer = await storing(target, 0, () => post(target, body));
  equal([answer.status, rejectedOf(answer)], [200, '0']);
});

list.http('P8', 'negative numbers, and bytes that are no UTF-8', async (target) => {
  const attributes = [
    ...callAttributes,
    { key: 'http.request.body.size', value: -1n },
    { key: 'http.response.body.size', value: -(2n ** 63n) },
    { key: 'url.path', value: '/@@@@' },
  ];
  const body = encodeSpans([serverSpan({ attributes })]);
  body.fill(0xff, body.indexOf('@@@@'), body.indexOf('@@@@') + 4);
  const answer = await storing(target, 1, () => post(target, body));
  equal([answer.status, rejectedOf(answer)], [200, '0']);
});

list.inside('P8', 'invalid UTF-8 in a route is replaced', async (target) => {
  const broken = Buffer.concat([Buffer.from('/utf8/'), Buffer.from([0xff]), Buffer.from('/x')]);
  const fields = spanFields('/gone').filter((_, n) => n !== 7);
  const route = bytesField(
    9,
    Buffer.concat([bytesField(1, 'http.route'), bytesField(2, bytesField(1, broken))]),
  );
  const span = bytesField(2, Buffer.concat([...fields, route]));
  const body = bytesField(1, Buffer.concat([resource('utf8'), bytesField(2, span)]));
  equal((await storing(target, 1, () => post(target, body))).status, 200);
  equal(await callsOf(target, 'utf8', '/utf8/\ufffd/x'), 1);
});

list.inside('P8', 'a time of 64 bits is exact to the nanosecond', async (target) => {
  // As a double this would be the next second.
  const endNs = (BigInt(Date.now()) / 1000n) * 1_000_000_000n - 1n;
  const span = serverSpan({ startTimeUnixNano: endNs - 1_000_000n, endTimeUnixNano: endNs });
  const body = encodeTraces([
    {
      attributes: [{ key: 'service.name', value: 'exact' }],
      scopes: [{ name: '', spans: [span] }],
    },
  ]);
  equal((await storing(target, 1, () => post(target, body))).status, 200);
  const found = (await target.inside.endpoints()).find(({ service }) => service === 'exact');
  equal(found?.last_called_at, new Date(Number(endNs / 1_000_000n)).toISOString());
});
