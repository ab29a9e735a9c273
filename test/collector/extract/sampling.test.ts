import { describe, expect, it } from 'vitest';
import { tracesFromJson } from '../../../collector/otlp/json.ts';
import type { AnyValue, Span } from '../../../collector/otlp/traces-encoder.ts';
import type { Config } from '../../../core/config/config.ts';
import { limits } from '../../../core/limits.ts';
import { Random } from '../../../core/random.ts';
import { weightUnit } from '../../../core/weight.ts';
import { extracting, message, nowNs, span } from '../support/extracting.ts';
import { randomTraceState, slowStateWeight } from '../support/trace-states.ts';

type Attributes = Record<string, AnyValue>;

/** Its random bits, the last 56, are the greatest there are: every threshold lets it pass. */
const kept = Buffer.alloc(16, 0xff);
const http = { 'http.request.method': 'GET', 'http.route': '/', 'http.response.status_code': 200 };

/** The weight of the one call of one span, and whether what it said was not believed. */
function weigh(
  traceState: string,
  attributes: Attributes = {},
  change: Partial<Omit<Span, 'attributes'>> = {},
  config: Partial<Config> = {},
  resource: Attributes = {},
): { weight: number; copies: number; ignored: number } {
  const { extract, batch } = extracting(config);
  const own = span({ ...http, ...attributes }, { traceId: kept, traceState, ...change });
  const { stored, weightsIgnored } = extract(message([own], resource));
  expect(stored).toBe(1);
  const { weights } = batch;
  expect(weights.length).toBeLessThanOrEqual(1);
  if (weights.length === 0) return { weight: 1, copies: 1, ignored: weightsIgnored };
  expect(weights.weight[0]).not.toBe(1);
  return { weight: weights.weight[0]!, copies: weights.copies[0]!, ignored: weightsIgnored };
}

const weightOf = (...told: Parameters<typeof weigh>) => weigh(...told).weight;
const near = (weight: number) => Math.round(weight / weightUnit) * weightUnit;

describe('S1 tracestate ot=th', () => {
  const believed: [string, number][] = [
    ['th:0', 1],
    ['th:8', 2],
    ['th:c', 4],
    ['th:e', 8],
    ['th:80000000000000', 2],
    ['th:fd70a4', near(2 ** 24 / (2 ** 24 - 0xfd70a4))],
    ['th:fd71', near(2 ** 16 / (2 ** 16 - 0xfd71))],
    ['th:55555555555555', 1.5],
    ['th:aaaaaaaaaaaaab', 3],
    ['th:fffff', 2 ** 20],
  ];
  it.each(believed)('%s stands for %d calls', (ot, weight) => {
    expect(weigh(`ot=${ot}`)).toEqual({ weight, copies: expect.any(Number), ignored: 0 });
  });

  const around = [
    'ot=th:c',
    ' ot=th:c',
    '\tot=th:c ',
    'ot=rv:ffffffffffffff;th:c',
    'ot=x:1;th:c;y:',
  ];
  it.each([...around, 'dd=s:1;t.dm:-0,ot=th:c', 'a=b, ot=th:c ,c=ot', 'ot=th:c,b=ot=th:8'])(
    'is found in %j',
    (traceState) => expect(weightOf(traceState)).toBe(4),
  );

  const elsewhere = ['', 'a=ot=th:8', 'xot=th:8', 'o=th:8', 'ot', 'ot=', 'vendor=th:8', 'ott=th:8'];
  it.each([...elsewhere, 'ot@sys=th:8', 'ot=xth:8', 'ot=t:8', 'ot=thx:8', ',,;;', 'ot=th'])(
    'is not found in %j',
    (traceState) => expect(weigh(traceState)).toEqual({ weight: 1, copies: 1, ignored: 0 }),
  );

  const wrong = ['ot=th:', 'ot=th:g', 'ot=th:C', 'ot=th:0x8', 'ot=th:800000000000000', 'ot=th:-8'];
  it.each([...wrong, 'ot=th:8 8', 'ot=th:8\u00e9', 'ot=th:c000000000000z', 'ot=th:8:8'])(
    '%j is not believed',
    (traceState) => expect(weigh(traceState)).toEqual({ weight: 1, copies: 1, ignored: 1 }),
  );

  it('past the bound is not believed', () => {
    expect(weigh('ot=th:fffff')).toMatchObject({ weight: limits.callWeight, ignored: 0 });
    expect(weigh('ot=th:fffff000000001')).toMatchObject({ weight: 1, ignored: 1 });
    expect(weigh('ot=th:ffffffffffffff')).toMatchObject({ weight: 1, ignored: 1 });
  });
});

describe('S2 the threshold against the random bits', () => {
  const traceId = (end: string) => Buffer.from(`00112233445566778899${end}`.slice(-32), 'hex');
  const bits: [string, string, number][] = [
    ['ot=th:8', '80000000000000', 2],
    ['ot=th:8', '7fffffffffffff', 1],
    ['ot=th:80000000000001', '80000000000000', 1],
    ['ot=th:80000008000001', '80000008000001', 2],
    ['ot=th:80000008000001', '80000008000000', 1],
    ['ot=th:0', '00000000000000', 1],
  ];
  it.each(bits)('%s and …%s', (traceState, end, weight) => {
    const id = traceId(`112233445566778899${end}`.padStart(32, '0'));
    const ignored = weight === 1 && traceState !== 'ot=th:0' ? 1 : 0;
    expect(weigh(traceState, {}, { traceId: id })).toMatchObject({ weight, ignored });
    // The same bits said outright, in a trace whose own would say the opposite.
    const other = Buffer.alloc(16, weight === 1 ? 0xff : 0x00);
    const told = `${traceState};rv:${end}`;
    expect(weigh(told, {}, { traceId: other })).toMatchObject({ weight, ignored });
  });

  it.each(['rv:', 'rv:ff', 'rv:FFFFFFFFFFFFFF', 'rv:fffffffffffffff', 'rv:fffffffffffffg'])(
    'th beside %s is not believed',
    (rv) => expect(weigh(`ot=th:8;${rv}`)).toMatchObject({ weight: 1, ignored: 1 }),
  );

  it('a span without a trace id has nothing that contradicts', () => {
    expect(weightOf('ot=th:8', {}, { traceId: Buffer.alloc(0) })).toBe(2);
  });
});

describe('S3 tracestate ot=p', () => {
  const believed: [string, number][] = [
    ['p:0', 1],
    ['p:1', 2],
    ['p:8;r:8', 256],
    ['r:62;p:20', 2 ** 20],
    ['p:03', 8],
    ['p:63', 0],
    ['p:63;r:5', 0],
  ];
  it.each(believed)('%s stands for %d calls', (ot, weight) => {
    expect(weigh(`ot=${ot}`)).toMatchObject({ weight, ignored: 0 });
  });

  it.each(['p:', 'p:64', 'p:1000', 'p:-1', 'p:a', 'p:3;r:2', 'p:3;r:63', 'p:3;r:', 'p:21', 'p:62'])(
    '%s is not believed',
    (ot) => expect(weigh(`ot=${ot}`)).toMatchObject({ weight: 1, ignored: 1 }),
  );

  it('a call of weight 0 has no copies, and is stored', () => {
    expect(weigh('ot=p:63')).toEqual({ weight: 0, copies: 0, ignored: 0 });
  });
});

describe('attributes', () => {
  const carried: [string, Attributes, number][] = [
    ['S4', { 'X-SampleRatio': 0.25 }, 4],
    ['S4', { 'X-SampleRatio': 1 }, 1],
    ['S4', { 'X-SampleRatio': '0.1' }, 10],
    ['S4', { 'X-SampleRatio': 0.3 }, near(1 / 0.3)],
    ['S5', { SampleRate: 20 }, 20],
    ['S5', { SampleRate: { double: 20 } }, 20],
    ['S5', { SampleRate: '5' }, 5],
    ['S6', { 'sampler.type': 'probabilistic', 'sampler.param': 0.001 }, 1000],
    ['S6', { 'sampler.type': 'probabilistic', 'sampler.param': '0.5' }, 2],
    ['S6', { 'sampler.type': 'const', 'sampler.param': true }, 1],
    ['S6', { 'sampler.type': 'ratelimiting', 'sampler.param': 0.01 }, 1],
    ['S6', { 'sampler.param': 0.01 }, 1],
    ['S6', { 'sampler.type': 'probabilistic' }, 1],
  ];
  it.each(carried)('%s %j stands for %d calls', (_id, attributes, weight) => {
    expect(weigh('', attributes)).toMatchObject({ weight, ignored: 0 });
  });

  const wrong: [string, Attributes][] = [
    ...[0, -1, 1.5, 1e-9, { double: Number.NaN }, { double: Infinity }, 'often', true].map(
      (value): [string, Attributes] => ['S4', { 'X-SampleRatio': value }],
    ),
    ...[0, -4, 2.5, limits.callWeight + 1, 1e15, '', 'x', { array: [1] }].map(
      (value): [string, Attributes] => ['S5', { SampleRate: value }],
    ),
    ['S6', { 'sampler.type': 'probabilistic', 'sampler.param': 0 }],
    ['S6', { 'sampler.type': 'probabilistic', 'sampler.param': 2 }],
  ];
  it.each(wrong)('%s %j is not believed', (_id, attributes) => {
    const ignored = Object.values(attributes).includes('') ? 0 : 1;
    expect(weigh('', attributes)).toMatchObject({ weight: 1, ignored });
  });
});

describe('S7 a factor of the service', () => {
  const config = {
    samplingFactors: new Map([
      ['shop', 10],
      ['unknown_service', 3],
    ]),
  };
  const shop = { 'service.name': 'shop' };
  it('weighs spans that say nothing themselves', () => {
    expect(weightOf('', {}, {}, config, shop)).toBe(10);
    expect(weightOf('dd=s:1', {}, {}, config, shop)).toBe(10);
    expect(weightOf('', {}, {}, config, { 'service.name': 'mail' })).toBe(1);
    expect(weightOf('', {}, {}, config)).toBe(3);
  });

  it('gives way to what the span says, and stands in for what is not believed', () => {
    expect(weightOf('ot=th:8', {}, {}, config, shop)).toBe(2);
    expect(weightOf('ot=th:0', {}, {}, config, shop)).toBe(1);
    expect(weightOf('', { SampleRate: 4 }, {}, config, shop)).toBe(4);
    expect(weigh('ot=th:Z', {}, {}, config, shop)).toMatchObject({ weight: 10, ignored: 1 });
  });
});

describe('S8 precedence', () => {
  const all = {
    'X-SampleRatio': 0.2,
    SampleRate: 6,
    'sampler.type': 'probabilistic',
    'sampler.param': 0.125,
  };
  it('is th, p, X-SampleRatio, SampleRate, sampler.param', () => {
    expect(weightOf('ot=th:8;p:2', all)).toBe(2);
    expect(weightOf('ot=p:2', all)).toBe(4);
    expect(weightOf('', all)).toBe(5);
    const { 'X-SampleRatio': _ratio, ...rest } = all;
    expect(weightOf('', rest)).toBe(6);
    const { SampleRate: _rate, ...last } = rest;
    expect(weightOf('', last)).toBe(8);
  });

  it('passes over what is not believed, and tells of it only when nothing else is', () => {
    expect(weigh('ot=th:zz;p:2', all)).toMatchObject({ weight: 4, ignored: 0 });
    expect(weigh('ot=th:zz;p:99', all)).toMatchObject({ weight: 5, ignored: 0 });
    expect(weigh('ot=th:zz', { ...all, 'X-SampleRatio': 9 })).toMatchObject({ weight: 6 });
    expect(weigh('ot=th:zz', { 'X-SampleRatio': 9 })).toMatchObject({ weight: 1, ignored: 1 });
  });
});

describe('S9 weights of a batch', () => {
  it('belong to their calls, and spans that are no calls have none', () => {
    const { extract, batch } = extracting();
    const spans = [
      span(http, { traceId: kept, traceState: 'ot=th:8' }),
      span({}, { traceId: kept, traceState: 'ot=th:8' }),
      span(http, { traceId: kept, traceState: 'ot=th:8', kind: 1 }),
      span(http),
      span({ ...http, SampleRate: 7 }),
      span(http, { traceId: kept, traceState: 'ot=th:8', endTimeUnixNano: 0n }),
      span(http, { traceState: 'ot=p:63' }),
    ];
    extract(message(spans));
    const { weights } = batch;
    expect(batch.length).toBe(4);
    expect([...weights.call.subarray(0, weights.length)]).toEqual([0, 2, 3]);
    expect([...weights.weight.subarray(0, weights.length)]).toEqual([2, 7, 0]);
  });

  it('go with their calls when a message turns out undecodable', () => {
    const { extract, batch } = extracting();
    const body = message([span(http, { traceId: kept, traceState: 'ot=th:8' })]);
    extract(body);
    expect(() => extract(Buffer.concat([body, Buffer.from([0x0a, 0x7f])]))).toThrow(/malformed/);
    expect([batch.length, batch.weights.length]).toEqual([1, 1]);
    extract(message([span(http), span({ ...http, SampleRate: 3 })]));
    const { call, weight } = batch.weights;
    expect([batch.length, batch.weights.length, call[1], weight[1]]).toEqual([3, 2, 2, 3]);
  });

  it('come through the JSON door as through the other', () => {
    const bytes = Buffer.alloc(16, 0xff).toString('hex');
    const json = (number: number, traceState: string, extra: object[]) => ({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: bytes,
                  spanId: `010203040506070${number}`,
                  traceState,
                  name: 'GET /',
                  kind: 2,
                  startTimeUnixNano: String(nowNs - 2_000_000_000n),
                  endTimeUnixNano: String(nowNs - 1_000_000_000n),
                  attributes: [
                    { key: 'http.request.method', value: { stringValue: 'GET' } },
                    { key: 'http.route', value: { stringValue: '/' } },
                    ...extra,
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    const { extract, batch } = extracting();
    const rate = { key: 'SampleRate', value: { intValue: '12' } };
    const ratio = { key: 'X-SampleRatio', value: { doubleValue: 0.5 } };
    for (const body of [
      json(1, 'ot=th:c', []),
      json(2, '', []),
      json(3, '', [rate]),
      json(4, 'x=y', [ratio]),
    ]) {
      extract(tracesFromJson(Buffer.from(JSON.stringify(body))));
    }
    const { weights } = batch;
    expect([...weights.call.subarray(0, weights.length)]).toEqual([0, 2, 3]);
    expect([...weights.weight.subarray(0, weights.length)]).toEqual([4, 12, 2]);
  });

  it('copies are whole, and as many as the weights over many spans; the same for the same span', () => {
    const random = new Random(5);
    const spans = Array.from({ length: 4_000 }, (_, n) => {
      const traceId = Buffer.alloc(16);
      for (let i = 0; i < 16; i += 4) traceId.writeUInt32BE(random.u32(), i);
      traceId[9] = 0xff;
      return span(http, { traceId, traceState: 'ot=th:b333', endTimeUnixNano: nowNs - BigInt(n) });
    });
    const copiesIn = (order: typeof spans) => {
      const { extract, batch } = extracting();
      extract(message(order));
      expect(batch.weights.length).toBe(4_000);
      return [...batch.weights.copies.subarray(0, 4_000)];
    };
    const copies = copiesIn(spans);
    expect(new Set(copies)).toEqual(new Set([3, 4]));
    const weight = 2 ** 16 / (2 ** 16 - 0xb333);
    // Five standard errors of a fair choice between 3 and 4.
    const sum = copies.reduce((a, b) => a + b, 0);
    const share = weight - 3;
    expect(Math.abs(sum - 4_000 * weight)).toBeLessThan(5 * Math.sqrt(4_000 * share * (1 - share)));
    expect(copiesIn(spans.toReversed()).reverse()).toEqual(copies);
  });
});

describe('S10 any tracestate', () => {
  it('is read as a plain reader does, 20,000 random ones', () => {
    const random = new Random(11);
    let believed = 0;
    for (let n = 0; n < 40; n += 1) {
      const told = Array.from({ length: 500 }, () => ({
        traceState: randomTraceState(random),
        traceId: Buffer.alloc(16, random.below(256)),
      }));
      const slow = told.map(({ traceState, traceId }) => slowStateWeight(traceState, traceId));
      const { extract, called } = extracting();
      const { weightsIgnored } = extract(message(told.map((change) => span(http, change))));
      const expected = slow.map((weight) => (typeof weight === 'number' ? weight : 1));
      expect(called().map(({ weight = 1 }) => weight)).toEqual(expected);
      expect(weightsIgnored).toBe(slow.filter((weight) => weight === 'unbelieved').length);
      believed += slow.filter((weight) => typeof weight === 'number').length;
    }
    expect(believed).toBeGreaterThan(500);
  });
});
