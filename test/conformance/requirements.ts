/**
 * The requirements of a conforming OTLP server, by the ids that cases, tests, comments and docs/conformance.md
 * share. "(ours)" marks a decision of Rollcall where the specification leaves room.
 */
export const sections = {
  transport: {
    H1: 'Listens for OTLP over HTTP (4318) and gRPC (4317), by default on 127.0.0.1; a port in use fails the start',
    H2: 'Protobuf and JSON on one path, by Content-Type',
    H3: 'Content-Type matches in any case and with parameters',
    H4: 'A missing or other Content-Type is 415, in plain text that names the supported ones',
    H5: 'Any method but POST is 405 with `Allow: POST`',
    H6: 'The paths of all signals exist; other paths are 404',
    H7: 'Metrics and logs are 200 with a message that they are not stored, at most once an hour and client (ours)',
    H8: '`POST /` and `/v1/traces/` take traces: exporters use a traces endpoint as it is written',
    H9: 'HTTP/1.1',
    H10: 'HTTP/1.1 on the gRPC port and HTTP/2 on the HTTP port get an answer and do not hang (ours)',
    H11: 'Idle connections stay open for 95 s: longer than exporters leave them idle (Go: 90 s)',
    H12: '`Expect: 100-continue`, chunked, absolute-form and slow requests work',
  },
  bodies: {
    E1: 'Takes no compression, gzip, deflate (zlib), zstd and br',
    E2: 'snappy is not supported: 400 as E4 (ours)',
    E3: '`identity` and an empty coding mean none; coding names in any case; gzip of several members',
    E4: 'An unknown Content-Encoding is 400 that names it, in the encoding of the request',
    E5: 'A body that its Content-Encoding does not describe, or that is cut short or empty, is 400',
    E6: 'The limit holds after decompression, and decompression stops at it',
    E7: 'The limit is 64 MiB by default: exactly 64 MiB pass, one byte more is 413',
    E8: 'zstd works where Node has it (22.15 and later), and is answered as E4 elsewhere',
  },
  protobuf: {
    P1: 'An empty body and messages without spans are 200',
    P2: 'Unknown fields of every wire type are skipped; fields come in any order; a repeated message field merges',
    P3: 'A truncated or undecodable body is 400, and none of its spans is stored',
    P4: 'A span whose id has a wrong length is rejected alone, in a partial success (ours)',
    P5: 'Flags and trace state are read; the upper 22 bits of the flags are ignored',
    P6: 'Attribute values of every kind, deep nesting and string indexes are accepted; of duplicate keys the last wins',
    P7: 'instrumentation_library_spans of old senders are ignored',
    P8: '64-bit times and integers are exact; invalid UTF-8 is replaced',
  },
  json: {
    J1: 'Ids are hex in either case; empty is absent; another length or spelling as P4',
    J2: 'Enums as numbers, and as names',
    J3: '64-bit integers as text or number; any other value is 400',
    J4: 'Field names in lowerCamelCase, and in snake_case',
    J5: 'Unknown fields are ignored, null is the default, bytes are base64',
    J6: '`{}` is 200; a body that is no request is 400; a byte order mark is accepted',
    J7: "opentelemetry-proto's own example is read",
    J8: 'Attributes with an empty value or without one are accepted',
  },
  responses: {
    R1: 'Success is 200 with an empty export response and its Content-Length',
    R2: "Content-Type of the answer is exact, without charset: Go's exporter compares the text",
    R3: 'Partial success is 200 with the number and the reason',
    R4: 'Failures carry a google.rpc.Status in the encoding of the request',
    R5: 'Only 429, 502, 503 and 504 are retryable; bad data is 400 with BadRequest',
    R6: 'gRPC codes and HTTP statuses correspond',
    R7: 'Retry-After of 1 to 5 s on 429 and 503, on no other status: exporters drop the batch after a longer one',
    R8: 'Bad data is never a 5xx or 408: PHP and Ruby retry those',
    R9: 'An answer stays small: its error message has at most 1 KiB',
    R10: 'Answers are not compressed',
    R11: 'Of a client that disconnects, half a body stores nothing, a whole body is stored',
  },
  grpc: {
    G1: "HTTP/2 with and without TLS; unknown services and methods are UNIMPLEMENTED (12); a content type other than gRPC's is 415",
    G2: 'Frames: gzip and identity; unknown codings are 12, a compressed flag without a coding is 13; split at any byte',
    G3: 'OK sends a message before its trailers; errors are trailers only',
    G4: 'Trailers hold status, percent-encoded message and details with RetryInfo',
    G5: 'A message over the limit is RESOURCE_EXHAUSTED without RetryInfo: not retryable',
    G6: 'Overload is UNAVAILABLE with RetryInfo of 1 to 5 s: Go and .NET drop the batch on RESOURCE_EXHAUSTED',
    G7: 'Bad data is INVALID_ARGUMENT',
    G8: 'Partial success as over HTTP',
    G9: 'grpc-timeout is honoured; a cancelled stream affects no other',
    G10: '100 streams at once, a window of at least 1 MiB',
    G11: 'PINGs are answered, also many; an idle connection stays open; one of the greatest age drains',
    G12: 'Keys in metadata: missing or wrong is UNAUTHENTICATED (16), a wrong scope PERMISSION_DENIED (7); the health service answers',
    G13: 'Bursts of new connections are accepted: Python reconnects after every UNAVAILABLE',
  },
  lifecycle: {
    L1: 'Slow and silent senders time out and delay no other; headers of 16 KiB pass',
    L2: 'Requests run in parallel; a large one does not hold up small ones',
    L3: 'Bytes in flight are bounded: 429 or 503 before the body is read',
    L4: '200 only when the data is durable',
    L5: 'kill -9 after the answer loses nothing; a repeated request counts once; a failing store is 503',
    L6: 'SIGTERM: requests under way finish, later ones are 503, exit within 10 s',
    L7: 'Counts requests by outcome, spans by reason, and bytes',
  },
  access: {
    A1: 'TLS 1.2 or later, client certificates, reload without a restart; a bad file fails the start',
    A2: 'Keys are checked before the body is read; 401 carries a Status in the encoding of the request',
    A3: 'CORS is off by default; when on: preflight 204, an allowed origin is echoed, others get no CORS header',
    A4: 'No server banner; configured headers on every answer',
  },
} as const;

export type Section = keyof typeof sections;

export type RequirementId = {
  [S in Section]: keyof (typeof sections)[S];
}[Section];

/** All ids in order, each with its text. */
export const requirements = Object.values(sections).flatMap((section) =>
  Object.entries(section),
) as [RequirementId, string][];
