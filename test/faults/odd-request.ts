import type { Random } from '../../core/random.ts';

/**
 * Requests that no well-behaved client sends: wrong versions, targets, lengths and encodings, headers that
 * contradict each other, bodies that are cut, several requests in one write, random frames of HTTP/2. The
 * same seed gives the same bytes.
 */
export function oddRequest(random: Random): Buffer {
  if (random.below(8) === 0) return oddFrames(random);
  const parts: Buffer[] = [];
  for (let count = 1 + random.below(4); count > 0; count -= 1) parts.push(oddHttp1(random));
  const request = Buffer.concat(parts);
  // One in four is damaged once more: cut, or with bytes that changed.
  if (random.below(4) > 0) return request;
  if (random.below(2) === 0) return request.subarray(0, random.below(request.length) + 1);
  for (let flips = 1 + random.below(4); flips > 0; flips -= 1) {
    request[random.below(request.length)] = random.below(256);
  }
  return request;
}

function oddHttp1(random: Random): Buffer {
  const line = `${random.pick(methods)} ${random.pick(targets)} ${random.pick(versions)}\r\n`;
  const headers: string[] = [];
  if (random.below(8) > 0) headers.push('Host: localhost\r\n');
  for (let count = random.below(6); count > 0; count -= 1) headers.push(random.pick(oddHeaders));
  const body = random.pick(bodies);
  if (random.below(2) === 0) headers.push(`Content-Length: ${body.length}\r\n`);
  return Buffer.concat([Buffer.from(`${line}${headers.join('')}\r\n`, 'latin1'), body]);
}

/** A preface, mostly, and frames whose type, flags, stream and length have little to do with each other. */
function oddFrames(random: Random): Buffer {
  const frames: Buffer[] = [];
  if (random.below(10) > 0) frames.push(preface);
  if (random.below(10) > 0) frames.push(frame(4, 0, 0, Buffer.alloc(0)));
  for (let count = 1 + random.below(6); count > 0; count -= 1) {
    const payload =
      random.below(3) === 0 ? headerBlock : Buffer.from(random.bytes(random.below(64)));
    const stream = random.pick([0, 1, 1, 1, 2, 3, 5, 0x7fffffff]);
    frames.push(frame(random.pick(frameTypes), random.pick(frameFlags), stream, payload));
  }
  return Buffer.concat(frames);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, unknown. */
const frameTypes = [0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x1f];
/** END_STREAM, END_HEADERS, PADDED, PRIORITY and mixtures. */
const frameFlags = [0, 1, 4, 5, 5, 8, 0x20, 0x25, 0xff];
/** `:method: POST`, `:scheme: http`, `:path: /` of HPACK's static table, and content-type: application/grpc. */
const headerBlock = Buffer.concat([
  Buffer.from([0x83, 0x86, 0x84, 0x0f, 0x10, 0x10]),
  Buffer.from('application/grpc'),
]);

const methods = [
  ...[
    'GET',
    'GET',
    'POST',
    'POST',
    'HEAD',
    'OPTIONS',
    'PUT',
    'DELETE',
    'PATCH',
    'TRACE',
    'CONNECT',
  ],
  ...['PRI', 'QUERY', 'get', 'G\0T', '', ' ', 'A'.repeat(200), 'GET\t', 'М'],
];

const versions = [
  ...['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/2', 'HTTP/0.9', 'HTTP/3.0'],
  ...['HTTP/9.9', 'HTTP/1.10', 'http/1.1', 'ICY', 'RTSP/1.0', '', 'HTTP/1.1 HTTP/1.1'],
];

const targets = [
  ...['/', '/', '*', '//', '/%zz', '/%00', '/%', '/\\', '?', '#', '', '/../../etc/passwd', '/a b'],
  ...['/v1/traces', '/v1/traces', '/v1/metrics', '/v1/logs', '/v1/traces?x=%zz', '/healthz'],
  ...[
    '/readyz',
    '/metrics',
    '/api/v1/report',
    '/api/v1/report?window=%F0%9F',
    '/api/v1/endpoints/%zz',
  ],
  ...[
    '/api/v1/report?from=\0',
    '/api/v1/services?limit=1e999',
    '/api/v1/keys',
    '/api/v1/openapi.json',
  ],
  ...[
    'http://[::1',
    'http://localhost:99999/',
    'http://a/v1/traces',
    'https://',
    'ftp://x/',
    '//x/y',
  ],
  ...[
    'localhost:4318',
    '/__proto__',
    '/constructor',
    `/${'a'.repeat(4000)}`,
    `/${'%20'.repeat(500)}`,
  ],
  `/api/v1/report?${'x=1&'.repeat(1000)}`,
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
];

const oddHeaders = [
  'Host: a\r\nHost: b\r\n',
  'Host: \r\n',
  'Content-Length: -1\r\n',
  'Content-Length: abc\r\n',
  'Content-Length: 1, 2\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Content-Length: 67108864\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Expect: 100-continue\r\n',
  'Expect: something\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
  'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, close, te\r\n',
  'Content-Type: application/json\r\n',
  'Content-Type: application/x-protobuf\r\n',
  'Content-Type: application/grpc\r\n',
  'Content-Type: ;\r\n',
  'Content-Encoding: gzip\r\n',
  'Content-Encoding: zstd\r\n',
  'Content-Encoding: br, gzip\r\n',
  'Authorization: Bearer\r\n',
  'Authorization: Bearer %E0%A4%A\r\n',
  'Authorization: Basic ::\r\n',
  'x-api-key: \r\n',
  'x-api-key: a\r\nx-api-key: b\r\n',
  'Origin: http://[\r\nAccess-Control-Request-Method: POST\r\n',
  'Origin: null\r\n',
  'grpc-timeout: 0n\r\n',
  'grpc-encoding: snappy\r\n',
  'TE: trailers\r\nTrailer: x\r\n',
  '__proto__: x\r\nconstructor: y\r\n',
  'no colon\r\n',
  ' folded: line\r\n',
  'X: \x01\x02\r\n',
  'Cookie: a=b; \xff\xfe\r\n',
  `X-Long: ${'y'.repeat(40_000)}\r\n`,
  'X-Forwarded-For: 1.2.3.4, 1.2.3.4\r\n',
  'If-None-Match: *\r\nRange: bytes=0-,1-\r\n',
];

const bodies = [
  Buffer.alloc(0),
  Buffer.alloc(0),
  Buffer.from('{}'),
  Buffer.from('{"resourceSpans":[{}]}'),
  Buffer.from('{"resourceSpans":[null,{"scopeSpans":null}]'),
  Buffer.from([0x0a, 0x00]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00]),
  Buffer.from('5\r\nhello\r\n0\r\n\r\n'),
  Buffer.from('0\r\nX: y\r\n\r\n'),
  Buffer.from('zz\r\nhello'),
  Buffer.from('FFFFFFFFFFFFFFFF\r\n'),
  Buffer.from('1;a=b\r\nx\r\n'.repeat(50)),
  Buffer.from([0, 0, 0, 0, 2, 0x0a, 0]),
  Buffer.from([1, 0xff, 0xff, 0xff, 0xff]),
];
