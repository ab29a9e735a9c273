import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

interface RemoteParent {
  traceId: string;
  spanId: string;
  isSampled: boolean;
  traceState: string | undefined;
}
type Sampler = (
  parent: RemoteParent | undefined,
  random: number,
) => { traceState: string | undefined } | undefined;

const built = createRequire(new URL('../../instrumentation/dist/index.js', import.meta.url));
const { leanSampler } = built('./span/lean-sampler.js') as {
  leanSampler(name: string | undefined, argument: string | undefined): Sampler | undefined;
};

const parent = (isSampled: boolean, traceState?: string): RemoteParent => ({
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  isSampled,
  traceState,
});
const of = (name?: string, argument?: string) => leanSampler(name, argument)!;
const high = 2 ** 48 - 1;

describe('without OTEL_TRACES_SAMPLER, and always_on', () => {
  it.each([undefined, 'always_on'])('%s takes every call, whatever its caller sampled', (name) => {
    expect(of(name)(undefined, 0)).toEqual({ traceState: undefined });
    expect(of(name)(parent(false), 0)).toEqual({ traceState: undefined });
    expect(of(name)(parent(false, 'a=1,b=2'), 0)).toEqual({ traceState: 'a=1,b=2' });
  });

  it("a caller's threshold becomes 0; its random value and other vendors' members stay, in order", () => {
    const state = (given: string) => of()(parent(true, given), 0)!.traceState;
    expect(state('ot=th:8')).toBe('ot=th:0');
    expect(state('a=1,ot=th:c;rv:00112233445566,b=2')).toBe('ot=th:0;rv:00112233445566,a=1,b=2');
    expect(state('a=1, ot=p:8;r:3;x:y')).toBe('ot=th:0;x:y,a=1');
    expect(state('boot=th:8')).toBe('boot=th:8');
  });
});

it('always_off takes none', () => {
  expect(of('always_off')(undefined, high)).toBeUndefined();
  expect(of('always_off')(parent(true), high)).toBeUndefined();
});

describe('traceidratio', () => {
  it('keeps the upper part of the random numbers, with the threshold in tracestate', () => {
    const quarter = of('traceidratio', '0.25');
    expect(quarter(undefined, 0.75 * 2 ** 48 - 1)).toBeUndefined();
    expect(quarter(undefined, 0.75 * 2 ** 48)).toEqual({ traceState: 'ot=th:c' });
    expect(quarter(parent(false, 'a=1'), high)).toEqual({ traceState: 'ot=th:c,a=1' });
    expect(of('traceidratio', '0.5')(undefined, high)).toEqual({ traceState: 'ot=th:8' });
    expect(of('traceidratio', '0.1')(undefined, high)).toEqual({
      traceState: 'ot=th:e66666666666',
    });
  });

  it("decides by the caller's random value where tracestate has one", () => {
    const half = of('traceidratio', '0.5');
    expect(half(parent(true, 'ot=rv:7fffffffffffff'), high)).toBeUndefined();
    expect(half(parent(true, 'ot=th:0;rv:80000000000000'), 0)).toEqual({
      traceState: 'ot=th:8;rv:80000000000000',
    });
  });

  it('1 and more takes all, 0 and less none; no number takes all', () => {
    for (const argument of ['1', '7', 'nonsense', undefined]) {
      expect(of('traceidratio', argument)(undefined, 0), argument).toEqual({
        traceState: undefined,
      });
    }
    for (const argument of ['0', '-1']) {
      expect(of('traceidratio', argument)(undefined, high), argument).toBeUndefined();
    }
  });
});

describe('parentbased', () => {
  it.each(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'])(
    '%s does as the caller did, whose threshold stays',
    (name) => {
      const sampler = of(name, '0.5');
      expect(sampler(parent(true, 'ot=th:c,a=1'), 0)).toEqual({ traceState: 'ot=th:c,a=1' });
      expect(sampler(parent(false, 'ot=th:c'), high)).toBeUndefined();
    },
  );

  it('without a caller the root decides', () => {
    expect(of('parentbased_always_on')(undefined, 0)).toEqual({ traceState: undefined });
    expect(of('parentbased_always_off')(undefined, high)).toBeUndefined();
    expect(of('parentbased_traceidratio', '0.5')(undefined, 2 ** 47)).toEqual({
      traceState: 'ot=th:8',
    });
    expect(of('parentbased_traceidratio', '0.5')(undefined, 2 ** 47 - 1)).toBeUndefined();
  });
});

it('another name is no sampler', () => {
  expect(leanSampler('jaeger_remote', undefined)).toBeUndefined();
});
