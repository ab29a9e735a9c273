import { describe, expect, test } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { extracting, span } from '../support/extracting.ts';

/** Many siblings that a path alone tells, each called once or twice (docs/extraction.md X25). */
let ids = 0;

function get(paths: readonly string[], service = 'web'): Buffer {
  const spans = paths.map((path) => {
    ids += 1;
    const spanId = Buffer.alloc(8);
    spanId.writeUInt32BE(ids);
    return span(
      { 'http.request.method': 'GET', 'url.path': path, 'http.response.status_code': 200 },
      { spanId },
    );
  });
  const attributes = [{ key: 'service.name', value: service }];
  return encodeTraces([{ attributes, scopes: [{ name: 'http', spans }] }]);
}

/** A word of letters for each number, so that no path looks like an id. */
function word(number: number): string {
  return [...`${number}`.padStart(3, '0')]
    .map((digit) => `${'bcdfghjkmn'[Number(digit)]}a`)
    .join('');
}

function counted(...requests: Buffer[]): Record<string, number> {
  const { extract, called } = extracting();
  for (const request of requests) extract(request);
  const calls: Record<string, number> = {};
  for (const { route } of called()) calls[route] = (calls[route] ?? 0) + 1;
  return calls;
}

describe('X25: siblings that are called once or twice', () => {
  const pages = (from: number, to: number, prefix: string) =>
    Array.from({ length: to - from }, (_, i) => `${prefix}/${word(from + i)}`);

  test.each(['', '/site/help'])('below %j 24 are told apart, the rest is {path}', (prefix) => {
    const calls = counted(get(pages(0, 150, prefix)), get(pages(150, 300, prefix)));
    expect(Object.keys(calls).length).toBe(25);
    expect(calls[`${prefix}/{path}`]).toBe(300 - 24);
  });

  test('of another prefix and another service each for itself', () => {
    const calls = counted(
      get(pages(0, 40, '/one')),
      get(pages(0, 20, '/two')),
      get(pages(0, 20, '/one'), 'b'),
    );
    expect(calls['/one/{path}']).toBe(16);
    expect(calls['/two/{path}']).toBeUndefined();
  });

  test('an API of 60 routes that are called again has 60 endpoints', () => {
    const methods = pages(0, 60, '/rpc');
    const rounds = Array.from({ length: 20 }, () => get(methods));
    const calls = counted(...rounds);
    expect(Object.keys(calls).length).toBe(61);
    // The first two calls of those that came when 24 were rare.
    expect(calls['/rpc/{path}']).toBeLessThanOrEqual(2 * 36);
    expect(calls[methods[0]!]).toBe(20);
  });

  test('what the path’s template tells is no sibling', () => {
    const calls = counted(get(Array.from({ length: 100 }, (_, i) => `/users/${i + 1}`)));
    expect(calls).toEqual({ '/users/{id}': 100 });
  });
});
