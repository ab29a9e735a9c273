/**
 * What a conforming OTLP server does, by the ids that cases, tests and docs/conformance.md share: a copy
 * of our checklist's sections in short words. Where it says "ours", it is a decision of Rollcall's own.
 */
export const sections = {
  transport: {
    H1: 'Listens for OTLP over HTTP and gRPC, on 127.0.0.1 unless told; a port in use fails the start',
    H2: 'Protobuf and JSON on one path, told apart by Content-Type',
    H3: 'Content-Type in any case and with parameters',
    H4: 'Another Content-Type, or none, is 415 in plain text that names the supported ones',
    H5: 'Any method but POST is 405 with Allow: POST',
    H6: 'Paths of all signals; others are 404',
    H7: 'Metrics and logs are answered 200 and said not to be stored (ours)',
    H8: 'POST / and /v1/traces/ take traces',
    H9: 'HTTP/1.1',
    H10: 'HTTP/1.1 on the gRPC port and HTTP/2 on the HTTP port get an answer, not a hang (ours)',
    H11: 'Connections are kept for longer than exporters leave them idle',
    H12: 'Expect: 100-continue, chunked, absolute-form and slow requests',
  },
  bodies: {
    E1: 'No compression, gzip, deflate, zstd and br',
    E2: 'snappy is not taken: 400 as E4 (ours)',
    E3: 'identity and an empty coding mean none; tokens in any case; gzip of several members',
    E4: 'An unknown Content-Encoding is 400 that names it, in the encoding of the request',
    E5: 'What is not what its Content-Encoding says, is cut short or empty, is 400',
    E6: 'The limit holds after decompression, and decompression stops at it',
    E7: 'The limit is 64 MiB unless told, exactly it passes, one byte more is 413',
    E8: 'zstd needs a new Node: it is there, or answered as E4',
  },
  protobuf: {
    P1: 'An empty body and envelopes without spans are 200',
    P2: 'Unknown fields of every wire type, any order, repeated messages that merge',
    P3: 'Cut short or garbage is 400, and nothing of it is stored',
    P4: 'A span with an id of another length is rejected alone, in a partial success (ours)',
    P5: 'Flags and trace state; the upper 22 bits of the flags mean nothing',
    P6: 'Values of every kind, deep nesting, string indexes and duplicate keys on any attribute',
    P7: 'instrumentation_library_spans of old senders are ignored',
    P8: '64-bit times and integers are exact; invalid UTF-8 is replaced',
  },
  json: {
    J1: 'Ids are hex in either case; empty is absent; another length as P4',
    J2: 'Enums as numbers, and as names',
    J3: '64-bit integers as text or number; what is none is 400',
    J4: 'lowerCamelCase, and snake_case',
    J5: 'Unknown fields are ignored, null is the default, bytes are base64',
    J6: '{} is 200; what is no request is 400; a byte order mark is tolerated',
    J7: "opentelemetry-proto's own example is read",
    J8: 'Attributes with an empty value or none',
  },
  responses: {
    R1: 'Success is 200 with an empty export response and its length',
    R2: 'Content-Type of the answer is exact, without charset',
    R3: 'Partial success is 200 with the number and the reason',
    R4: 'Failures carry a google.rpc.Status in the encoding of the request',
    R5: 'Only 429, 502, 503 and 504 ask for a repetition; bad data is 400 with BadRequest',
    R6: 'Codes of gRPC and HTTP statuses belong together',
    R7: 'Retry-After of 1 to 5 s on 429 and 503, nowhere else',
    R8: 'Bad data is never a 5xx or 408',
    R9: 'An answer is small, its message cut',
    R10: 'Answers are not compressed',
    R11: 'A client that goes away: half a body is nothing, a whole one is kept',
  },
  grpc: {
    G1: 'HTTP/2 without TLS and with; unknown services and methods are 12; no gRPC content type is 415',
    G2: 'Frames: gzip and identity, unknown codings 12, compressed without a coding 13, split anywhere',
    G3: 'OK has a message before its trailers; errors are trailers only',
    G4: 'Status, percent-encoded message and details in the trailers',
    G5: 'Over the limit is RESOURCE_EXHAUSTED without RetryInfo',
    G6: 'Overload is UNAVAILABLE with RetryInfo of 1 to 5 s',
    G7: 'Bad data is INVALID_ARGUMENT',
    G8: 'Partial success as over HTTP',
    G9: 'grpc-timeout is honoured, a cancelled stream harms nothing',
    G10: '100 streams at once, a window of at least 1 MiB',
    G11: 'PINGs are answered, many of them too; an idle connection stays, one of the greatest age drains',
    G12: 'Keys in metadata: none or wrong is 16 or 7; the health service answers',
    G13: 'Bursts of new connections are taken',
  },
  lifecycle: {
    L1: 'Slow and silent senders harm nobody; headers of 16 KiB pass',
    L2: 'Many requests at once; a huge one does not hold up small ones',
    L3: 'Bytes in flight are bounded: 429 or 503 before the body is read',
    L4: '200 only when the data is durable',
    L5: 'kill -9 after the answer loses nothing; repetition counts once; a store that fails is 503',
    L6: 'SIGTERM: what is under way is finished, late requests are 503, exit within 10 s',
    L7: 'Counters of its own: requests by outcome, spans by reason, bytes',
  },
  access: {
    A1: 'TLS from 1.2 on, client certificates, reload; a bad file fails the start',
    A2: 'Keys are checked before the body is read; 401 is a Status in the encoding of the request',
    A3: 'CORS is off; when on: preflight 204, the origin echoed, others get nothing',
    A4: "No server banner; headers of one's own",
  },
} as const;

export type Section = keyof typeof sections;

export type RequirementId = {
  [S in Section]: keyof (typeof sections)[S];
}[Section];

/** All ids in the order of the checklist, with what they ask. */
export const requirements = Object.values(sections).flatMap((section) =>
  Object.entries(section),
) as [RequirementId, string][];
