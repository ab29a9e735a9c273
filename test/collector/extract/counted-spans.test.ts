import { describe, expect, test } from 'vitest';
import { CallBatch } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import { extracting, message, nowNs, ownSpanId, span } from '../support/extracting.ts';

const get = { 'http.request.method': 'GET', 'http.response.status_code': 200 };
const to = (route: string, change = {}) => span({ ...get, 'http.route': route }, change);

describe('the same span twice is one call', () => {
  test('in one request, whichever of its copies it is', () => {
    const { extract, called } = extracting();
    const [a, b, c] = [to('/a'), to('/b'), to('/c')];
    const extracted = extract(message([a, b, a, c, b, a]));
    expect(extracted).toMatchObject({ stored: 3, duplicate: { same_span: 3 } });
    expect(called().map(({ route }) => route)).toEqual(['/a', '/b', '/c']);
  });

  test('in two requests, with the weights and trace ids of the calls that are left', () => {
    const { extract, called } = extracting();
    const trace = (n: number) => Buffer.alloc(16, n);
    const spans = [1, 2, 3, 4, 5].map((n) =>
      span(
        { ...get, 'http.route': `/${n}`, ...(n % 2 === 0 && { SampleRate: n }) },
        { traceId: trace(n) },
      ),
    );
    extract(message([spans[0]!, spans[1]!]));
    const second = extract(message([spans[1]!, spans[2]!, spans[0]!, spans[3]!, spans[4]!]));
    expect(second).toMatchObject({ stored: 3, duplicate: { same_span: 2 } });
    const left = called().map(({ route, traceId, weight }) => [route, traceId, weight]);
    expect(left).toEqual(
      [1, 2, 3, 4, 5].map((n) => [`/${n}`, trace(n).toString('hex'), n % 2 === 0 ? n : undefined]),
    );
  });

  test('names the service that the first copy came from', () => {
    const { extract } = extracting();
    const copied = to('/a');
    extract(message([copied], { 'service.name': 'shop' }));
    const { sameSpan } = extract(message([to('/b'), copied], { 'service.name': 'shop' }));
    expect(sameSpan?.service).toBe('shop');
  });

  test('of another service or project it is another call', () => {
    const { extract } = extracting();
    const copied = to('/a');
    expect(extract(message([copied], { 'service.name': 'proxy' })).stored).toBe(1);
    expect(extract(message([copied], { 'service.name': 'shop' })).stored).toBe(1);
    expect(extract(message([copied], { 'service.name': 'shop' }), 'q').stored).toBe(1);
  });

  test('without ids, or with ids of zeros, every span is a call', () => {
    const { extract } = extracting();
    const none = to('/a', { traceId: Buffer.alloc(0), spanId: Buffer.alloc(0) });
    const zeros = to('/a', { traceId: Buffer.alloc(16), spanId: Buffer.alloc(8) });
    expect(extract(message([none, none, zeros, zeros])).stored).toBe(4);
  });

  test('with ends further apart than copies have it is another call', () => {
    const { extract } = extracting();
    const spanId = ownSpanId();
    const at = (secondsAgo: number) => {
      const endTimeUnixNano = nowNs - BigInt(secondsAgo) * 1_000_000_000n;
      return to('/a', { spanId, endTimeUnixNano, startTimeUnixNano: endTimeUnixNano - 1000n });
    };
    const apart = limits.sameSpanS + 1;
    expect(extract(message([at(20), at(20 + apart), at(20 + 2 * apart)])).stored).toBe(3);
    expect(extract(message([at(20 + limits.sameSpanS)])).stored).toBe(0);
  });

  test('after a commit that failed it counts again', () => {
    const { extractor } = extracting();
    const body = message([to('/a'), to('/b')]);
    const failed = new CallBatch();
    expect(extractor.extract('p', body, failed).stored).toBe(2);
    const other = new CallBatch();
    const { sameSpan, stored } = extractor.extract('p', body, other);
    expect(stored).toBe(0);
    expect([...sameSpan!.uncommitted]).toEqual([failed]);
    extractor.forget(failed);
    const again = new CallBatch();
    expect(extractor.extract('p', body, again).stored).toBe(2);
    extractor.committed(again);
    const last = extractor.extract('p', body, new CallBatch());
    expect([last.stored, last.sameSpan!.uncommitted.size]).toEqual([0, 0]);
  });

  test('a request that turns out undecodable leaves nothing behind', () => {
    const { extract } = extracting();
    const body = message([to('/a')]);
    expect(() => extract(Buffer.concat([body, Buffer.from([0x0a, 0x7f])]))).toThrow(/malformed/);
    expect(extract(body).stored).toBe(1);
  });

  test('is known until many more spans than are remembered came after it', () => {
    const { extract } = extracting();
    const first = to('/a');
    extract(message([first]));
    extract(many(limits.countedSpans / 8));
    expect(extract(message([first])).stored).toBe(0);
    const body = many(limits.countedSpans);
    for (let turn = 0; turn < 4; turn += 1) extract(inTrace(body, 0x30 + turn));
    expect(extract(message([first])).stored).toBe(1);
  });
});

function many(count: number): Buffer {
  return message(Array.from({ length: count }, () => to('/b')));
}

/** The same spans in another trace: other spans. To encode them anew would take seconds. */
function inTrace(body: Buffer, byte: number): Buffer {
  const other = Buffer.from(body);
  const traceId = Buffer.alloc(16, 0x11);
  for (let at = other.indexOf(traceId); at >= 0; at = other.indexOf(traceId, at + 16)) {
    other.fill(byte, at, at + 16);
  }
  return other;
}
