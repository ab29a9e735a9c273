import { describe, expect, test } from 'vitest';
import {
  type AnyValue,
  encodeTraces,
  type Span,
} from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch } from '../../../../core/call.ts';
import { extracting, message } from '../../support/extracting.ts';
import { at, counted, get, local, remote, routed, scopes, trace } from './joined-spans.ts';

describe('X16: siblings under one remote parent', () => {
  const server = at(1, 9, remote, [0, 20], get);
  const framework = at(2, 9, remote, [1, 19], { ...routed, 'http.response.status_code': 201 });

  test('are one call: the outer’s time, the inner’s route', () => {
    const inner: [string, Span[]] = ['framework', [framework]];
    const outer: [string, Span[]] = ['server', [server]];
    for (const request of [scopes({}, inner, outer), scopes({}, outer, inner)]) {
      const { calls, extracted } = counted(request);
      expect(calls).toEqual(['GET /users/{id} 200 20']);
      expect(extracted[0]).toMatchObject({ stored: 1, duplicate: { nested: 0, sibling: 1 } });
    }
  });

  test('the inner one may end up to a millisecond later: the JS SDK starts spans on whole ones', () => {
    const ending = (endMs: number) => {
      const inner = at(2, 9, remote, [21, endMs], routed);
      return counted(scopes({}, ['framework', [inner]], ['server', [server]])).calls;
    };
    // As @hono/otel below instrumentation-http: 0.1 ms in truth, the outer's last (npm run interop).
    expect(ending(21)).toEqual(['GET /users/{id} 200 20']);
    expect(ending(22).length).toBe(2);
  });

  test('one after the other they are two calls: a client that retries', () => {
    const again = at(2, 9, remote, [20, 40], routed);
    expect(counted(message([server, at(2, 9, remote, [21, 40], routed)])).calls.length).toBe(2);
    expect(counted(message([at(1, 9, remote, [0, 30], get), again])).calls.length).toBe(2);
  });

  test.each([
    ['path', { ...routed, 'url.path': '/users/8' }],
    ['method', { ...routed, 'http.request.method': 'PUT' }],
  ])('with another %s they are two calls', (_, attributes) => {
    expect(counted(message([at(2, 9, remote, [1, 19], attributes), server])).calls.length).toBe(2);
  });

  test('from two ports of the client they are two calls at once, whatever their scopes', () => {
    const from = (own: number, times: [number, number], port: number) =>
      at(own, 9, remote, times, { ...routed, 'network.peer.port': port });
    const request = (port: number): [string, Span[]][] => [
      ['framework', [from(2, [1, 19], port)]],
      ['server', [from(1, [0, 20], 4001)]],
    ];
    expect(counted(scopes({}, ...request(4002))).calls.length).toBe(2);
    expect(counted(scopes({}, ...request(4001))).calls.length).toBe(1);
  });

  test('of one scope they are one call only on one connection of HTTP/1', () => {
    const pair = (connection: Record<string, AnyValue>) =>
      counted(
        message([
          at(2, 9, remote, [1, 19], { ...routed, ...connection }),
          at(1, 9, remote, [0, 20], { ...routed, ...connection }),
        ]),
      ).calls.length;
    // Instrumentation that is set up twice: one connection of HTTP/1 carries one call at a time.
    expect(pair({ 'network.peer.port': 4001, 'network.protocol.version': '1.1' })).toBe(1);
    expect(pair({ 'net.peer.port': 4001, 'http.flavor': '1.1' })).toBe(1);
    expect(pair({ 'network.peer.port': 4001, 'network.protocol.version': '2' })).toBe(2);
    expect(pair({ 'network.peer.port': 4001 })).toBe(2);
    expect(pair({ 'network.protocol.version': '1.1' })).toBe(2);
  });

  test('of two instances they are two calls', () => {
    const instance = (name: string) => [{ key: 'service.instance.id', value: name }];
    const request = encodeTraces([
      { attributes: instance('a'), scopes: [{ name: 's', spans: [server] }] },
      { attributes: instance('b'), scopes: [{ name: 'f', spans: [framework] }] },
    ]);
    expect(counted(request).calls.length).toBe(2);
  });

  test('two calls at once, each of a server and a framework', () => {
    const servers = [server, at(3, 9, remote, [5, 15], get)];
    const frameworks = [framework, at(4, 9, remote, [6, 14], routed)];
    const { calls } = counted(scopes({}, ['framework', frameworks], ['server', servers]));
    expect(calls).toEqual(['GET /users/{id} 200 20', 'GET /users/{id} 200 10']);
  });

  test('in two requests they are one call, once the service is known for it', () => {
    const known = scopes(
      {},
      ['framework', [{ ...framework, traceId: trace(7) }]],
      ['server', [{ ...server, traceId: trace(7) }]],
    );
    const [a, b] = [scopes({}, ['framework', [framework]]), scopes({}, ['server', [server]])];
    expect(counted(known, a, b).calls.slice(1)).toEqual(['GET /users/{id} 201 18']);
    expect(counted(known, b, a).calls.slice(1)).toEqual([
      'GET /users/7 200 20'.replace('7', '{id}'),
    ]);
    const later = scopes({}, ['framework', [at(2, 9, remote, [21, 30], routed)]]);
    expect(counted(known, b, later).calls.length).toBe(3);
  });
});

describe('a request that comes again', () => {
  const inner = message([at(2, 1, local, [1, 19], routed)]);
  const outer = message([at(1, undefined, local, [0, 20], get)]);

  test('counts nothing again: every one of its spans was counted, or is of a call that was', () => {
    const { extracted } = counted(inner, outer, inner, outer, inner);
    expect(extracted.map(({ stored }) => stored)).toEqual([1, 0, 0, 0, 0]);
  });

  test('after a commit that failed it counts, and what relied on it does not', () => {
    const { extractor } = extracting();
    const stored = (body: Buffer, batch: CallBatch) => extractor.extract('p', body, batch).stored;
    const failed = new CallBatch();
    expect(stored(inner, failed)).toBe(1);
    // Acknowledged already: nothing of it had to be stored.
    expect(stored(outer, new CallBatch())).toBe(0);
    extractor.forget(failed);
    expect(stored(inner, new CallBatch())).toBe(1);
    expect(stored(outer, new CallBatch())).toBe(0);
  });

  test('after a commit that failed, without it, the other span counts', () => {
    const { extractor } = extracting();
    const failed = new CallBatch();
    extractor.extract('p', inner, failed);
    extractor.forget(failed);
    expect(extractor.extract('p', outer, new CallBatch()).stored).toBe(1);
    expect(extractor.extract('p', inner, new CallBatch()).stored).toBe(0);
  });

  test('a request that is refused is not remembered', () => {
    const { extract, batch } = extracting();
    const broken = Buffer.concat([inner, Buffer.from([0x0a, 0x7f])]);
    expect(() => extract(broken)).toThrow(/malformed/);
    extract(outer);
    expect(batch.length).toBe(1);
  });
});

describe('joins never cross projects', () => {
  const shop = { 'service.name': 'shop' };
  const framework = at(2, 9, remote, [1, 19], routed);
  const server = at(1, 9, remote, [0, 20], get);
  const asOf = (number: number, one: Span): Span => ({ ...one, traceId: trace(number) });
  const known = [
    scopes(
      shop,
      ['framework', [asOf(7, framework)]],
      ['server', [asOf(7, server)]],
      [
        'local',
        [asOf(8, at(2, 1, local, [1, 19], routed)), asOf(8, at(1, undefined, local, [0, 20], get))],
      ],
    ),
  ];
  const flat = (one: Span) => message([one], shop);

  // Each pair is one call in one project: the second request brings nothing to store.
  test.each<[string, Buffer, Buffer]>([
    [
      'X2, the inner span first',
      flat(at(2, 1, local, [1, 19], routed)),
      flat(at(1, undefined, local, [0, 20], get)),
    ],
    [
      'X2, the outer span first',
      flat(at(1, undefined, local, [0, 20], get)),
      flat(at(2, 1, local, [1, 19], routed)),
    ],
    [
      'X3, by the name of the service',
      flat(at(2, 1, 0, [1, 19], routed)),
      flat(at(1, undefined, 0, [0, 20], get)),
    ],
    [
      'X16, the framework first',
      scopes(shop, ['framework', [framework]]),
      scopes(shop, ['server', [server]]),
    ],
    [
      'X16, the server first',
      scopes(shop, ['server', [server]]),
      scopes(shop, ['framework', [framework]]),
    ],
    ['the same span', flat(server), Buffer.concat([flat(server), message([], shop)])],
  ])('%s', (_, one, other) => {
    const stored = (projects: [string, string]) => {
      const { extract } = extracting();
      // Both projects have a service of that name whose calls have several spans.
      for (const project of ['a', 'b']) for (const request of known) extract(request, project);
      return [extract(one, projects[0]).stored, extract(other, projects[1]).stored];
    };
    expect(stored(['a', 'a'])).toEqual([1, 0]);
    expect(stored(['a', 'b'])).toEqual([1, 1]);
    expect(stored(['b', 'a'])).toEqual([1, 1]);
  });
});

describe('X16: the ingest batch ends between the siblings of one call', () => {
  const [a, b] = [1, 2].map((number) => trace(number + 20));
  const pair = (traceId: Buffer) => ({
    framework: scopes({}, ['framework', [{ ...at(2, 9, remote, [1, 19], routed), traceId }]]),
    server: scopes({}, ['server', [{ ...at(1, 9, remote, [0, 20], get), traceId }]]),
  });
  /** An extractor that knows that calls of the service have two spans. */
  const knowing = () => {
    const { extractor } = extracting();
    const known = new CallBatch();
    const both: [string, Span[]][] = [
      ['framework', [{ ...at(2, 9, remote, [1, 19], routed), traceId: trace(19) }]],
      ['server', [{ ...at(1, 9, remote, [0, 20], get), traceId: trace(19) }]],
    ];
    expect(extractor.extract('p', scopes({}, ...both), known).stored).toBe(1);
    extractor.committed(known);
    return extractor;
  };

  test.each(['framework', 'server'] as const)('after the %s: one call', (first) => {
    const extractor = knowing();
    const second = first === 'framework' ? 'server' : 'framework';
    const batches = [new CallBatch(), new CallBatch()];
    expect(extractor.extract('p', pair(a!)[first], batches[0]!).stored).toBe(1);
    extractor.committed(batches[0]!);
    const { stored, duplicate } = extractor.extract('p', pair(a!)[second], batches[1]!);
    expect([stored, duplicate]).toEqual([0, { nested: 0, sibling: 1, same_span: 0 }]);
    expect(batches.map(({ length }) => length)).toEqual([1, 0]);
    // A call of another trace is a call of its own.
    expect(extractor.extract('p', pair(b!)[second], batches[1]!).stored).toBe(1);
  });

  test.each(['framework', 'server'] as const)(
    'after the %s: another parent’s are another call',
    (first) => {
      const extractor = knowing();
      const second = first === 'framework' ? 'server' : 'framework';
      const of = (scope: 'framework' | 'server', parent: number) => {
        const [own, times] = scope === 'framework' ? [2, [1, 19]] : [1, [0, 20]];
        const one = at(own as number, parent, remote, times as [number, number], routed);
        return scopes({}, [scope, [{ ...one, traceId: a! }]]);
      };
      const batch = new CallBatch();
      expect(extractor.extract('p', of(first, 9), batch).stored).toBe(1);
      expect(extractor.extract('p', of(second, 8), batch).stored).toBe(1);
    },
  );

  test.each(['framework', 'server'] as const)(
    'after the %s, whose commit fails: sent again it is one call',
    (first) => {
      const extractor = knowing();
      const second = first === 'framework' ? 'server' : 'framework';
      const failed = new CallBatch();
      const next = new CallBatch();
      expect(extractor.extract('p', pair(a!)[first], failed).stored).toBe(1);
      expect(extractor.extract('p', pair(a!)[second], next).stored).toBe(0);
      extractor.forget(failed);
      // Its sender was refused and repeats it; the other one was acknowledged.
      expect(extractor.extract('p', pair(a!)[first], next).stored).toBe(1);
      expect(extractor.extract('p', pair(a!)[second], next).stored).toBe(0);
      expect(next.length).toBe(1);
    },
  );
});
