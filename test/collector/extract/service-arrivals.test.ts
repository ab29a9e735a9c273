import { expect, it } from 'vitest';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { serverSpan } from '../../support/export-request.ts';

const arrivalsOf = (resources: readonly [string | undefined, Span[]][]) => {
  const extractor = new Extractor({
    dictionary: new CallDictionary(),
    config: readConfig({ ROLLCALL_EXCLUDE_METHODS: 'PUT' }),
    now: Date.now,
  });
  const message = encodeTraces(
    resources.map(([service, spans]) => ({
      attributes: service === undefined ? [] : [{ key: 'service.name', value: service }],
      scopes: [{ name: 'test', spans }],
    })),
  );
  const counts = extractor.extract('default', message, new CallBatch());
  return { counts, arrivals: [...extractor.arrivals] };
};

const spans = (count: number, more: Partial<Span> = {}): Span[] =>
  Array.from({ length: count }, () => serverSpan(more));

it('counts are split by service, and add up to those of the request', () => {
  const put = [
    { key: 'http.request.method', value: 'PUT' },
    { key: 'http.route', value: '/a' },
  ];
  const { counts, arrivals } = arrivalsOf([
    ['worker', spans(12, { kind: 1 })],
    ['shop', [...spans(2, { kind: 3 }), ...spans(3), ...spans(4, { attributes: put })]],
    [undefined, [...spans(1), ...spans(5, { attributes: [] }), ...spans(1, { kind: 4 })]],
    ['late', spans(2, { endTimeUnixNano: 0n })],
    ['empty', []],
  ]);
  expect(
    arrivals.map(({ rejected, ...one }) => ({ ...one, rejected: rejected.time_zero })),
  ).toEqual([
    {
      service: 'worker',
      stored: 0,
      notServer: 12,
      notHttp: 0,
      excluded: 0,
      duplicate: 0,
      rejected: 0,
    },
    {
      service: 'shop',
      stored: 3,
      notServer: 2,
      notHttp: 0,
      excluded: 4,
      duplicate: 0,
      rejected: 0,
    },
    {
      service: 'unknown_service',
      stored: 1,
      notServer: 1,
      notHttp: 5,
      excluded: 0,
      duplicate: 0,
      rejected: 0,
    },
    {
      service: 'late',
      stored: 0,
      notServer: 0,
      notHttp: 0,
      excluded: 0,
      duplicate: 0,
      rejected: 2,
    },
  ]);
  const sum = (field: 'stored' | 'notServer' | 'notHttp' | 'excluded') =>
    arrivals.reduce((all, one) => all + one[field], 0);
  expect(sum('stored')).toBe(counts.stored);
  expect(sum('notServer')).toBe(counts.notServer);
  expect(sum('notHttp')).toBe(counts.notHttp);
  expect(sum('excluded')).toBe(counts.excluded.method);
});
