import { Random } from '../../../core/random.ts';
import { framed } from '../load/grpc-call.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateProtobuf } from './mutate-protobuf.ts';
import { judgeJson } from './oracle-json.ts';
import { type Judgement, judgeProtobuf } from './oracle-protobuf.ts';
import { type Codec, pack, unpack } from './packing.ts';
import type { Seeds } from './seeds.ts';

/** One input, and what may be answered to it. The same seed and index make the same case. */
export interface FuzzCase {
  index: number;
  kind: Kind;
  transport: Transport;
  /** Content-Type and Content-Encoding, or grpc-encoding. */
  headers: Record<string, string>;
  body: Buffer;
  /** HTTP statuses, or grpc-status of the transport `grpc`. Empty when any end of the connection will do. */
  expected: readonly number[];
}

export const kinds = [
  'protobuf',
  'json',
  'gzip',
  'deflate',
  'zstd',
  'br',
  'grpc',
  'grpc-gzip',
  'http1',
  'http2',
] as const;
export type Kind = (typeof kinds)[number];
/** `http1` and `http2` are bytes on a connection of their own, to the HTTP and to the gRPC port. */
export type Transport = 'http' | 'grpc' | 'http1' | 'http2';

/** What each case of a hundred is. HTTP from its first byte costs a connection, so it comes seldom. */
const shares: Record<Kind, number> = {
  protobuf: 27,
  json: 24,
  gzip: 10,
  deflate: 8,
  zstd: 8,
  br: 8,
  grpc: 8,
  'grpc-gzip': 5,
  http1: 1,
  http2: 1,
};
const schedule = kinds.flatMap((kind) => Array.from({ length: shares[kind] }, () => kind));
/** Steps through the schedule that mix the kinds: 37 has no divisor in common with 100. */
const stride = 37;

export function kindOf(index: number): Kind {
  return schedule[(index * stride) % schedule.length]!;
}

export function transportOf(kind: Kind): Transport {
  if (kind === 'http1' || kind === 'http2') return kind;
  return kind.startsWith('grpc') ? 'grpc' : 'http';
}

export function fuzzCase(seed: number, index: number, seeds: Seeds): FuzzCase {
  const random = new Random(seed * 2 ** 32 + index);
  const kind = kindOf(index);
  return { index, kind, transport: transportOf(kind), ...make(kind, random, seeds) };
}

type Made = Pick<FuzzCase, 'headers' | 'body' | 'expected'>;

function make(kind: Kind, random: Random, seeds: Seeds): Made {
  switch (kind) {
    case 'protobuf':
    case 'json': {
      const { type, body } = payload(kind, random, seeds);
      return { headers: { 'content-type': type }, body, expected: statuses[judge(type, body)] };
    }
    case 'grpc':
    case 'grpc-gzip':
      return grpcCall(kind === 'grpc-gzip', random, seeds);
    case 'http1':
    case 'http2': {
      const whole = kind === 'http2' ? seeds.call : rawRequest(random, random.pick(seeds.protobuf));
      const body = mutateBytes(random, whole, random.pick(seeds.protobuf));
      return { headers: {}, body, expected: [] };
    }
    default:
      return packed(kind, random, seeds);
  }
}

const types = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
const statuses: Record<Judgement, readonly number[]> = {
  accept: [200],
  refuse: [400],
  either: [200, 400],
};
const grpcStatuses: Record<Judgement, readonly number[]> = {
  accept: [0],
  refuse: [3],
  either: [0, 3],
};

/** One in sixteen is left as it is: what is valid must stay so among all the others. */
function payload(kind: 'protobuf' | 'json', random: Random, seeds: Seeds) {
  const seedBodies = seeds[kind];
  const original = random.pick(seedBodies);
  const other = random.pick(seedBodies);
  const type = types[kind];
  const how = random.below(16);
  if (how === 0) return { type, body: original };
  if (kind === 'json') return { type, body: mutateJson(random, original, other) };
  if (how < 6) return { type, body: mutateBytes(random, original, other) };
  return { type, body: mutateProtobuf(random, original, other) };
}

function judge(type: string, body: Buffer): Judgement {
  return type === types.json ? judgeJson(body) : judgeProtobuf(body);
}

/** The payload mutated within a valid compression, or the compression itself. */
function packed(codec: Codec, random: Random, seeds: Seeds): Made {
  if (random.below(3) === 0) {
    const { type, body } = payload(random.below(3) === 0 ? 'json' : 'protobuf', random, seeds);
    const headers = { 'content-type': type, 'content-encoding': codec };
    return { headers, body: pack(random, codec, body), expected: statuses[judge(type, body)] };
  }
  const { encoding, bytes } = random.pick(seeds.packed[codec]);
  const type = types[encoding];
  const headers = { 'content-type': type, 'content-encoding': codec };
  const body = mutateBytes(random, bytes, random.pick(seeds.packed[codec]).bytes);
  const content = unpack(codec, body);
  if (content === undefined) return { headers, body, expected: [400] };
  if (content === 'too large') return { headers, body, expected: [413] };
  return { headers, body, expected: statuses[judge(type, content)] };
}

function grpcCall(gzip: boolean, random: Random, seeds: Seeds): Made {
  const headers: Record<string, string> = gzip ? { 'grpc-encoding': 'gzip' } : {};
  const inner = payload('protobuf', random, seeds).body;
  const message = gzip ? pack(random, 'gzip', inner) : inner;
  const whole = framed(message, gzip ? 1 : 0);
  const body = random.below(2) === 0 ? whole : mutateFrame(random, whole);
  return { headers, body, expected: grpcExpected(gzip, body) };
}

/** A request with its head, of a told length or in chunks. */
function rawRequest(random: Random, body: Buffer): Buffer {
  const head = (framing: string) =>
    `POST /v1/traces HTTP/1.1\r\nhost: fuzz\r\ncontent-type: ${types.protobuf}\r\n${framing}\r\n\r\n`;
  if (random.below(2) === 0) {
    return Buffer.concat([Buffer.from(head(`content-length: ${body.length}`)), body]);
  }
  const at = random.below(body.length);
  const chunks = [body.subarray(0, at), body.subarray(at), body.subarray(body.length)];
  const framed = chunks.flatMap((chunk, n) =>
    chunk.length === 0 && n < 2
      ? []
      : [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')],
  );
  return Buffer.concat([Buffer.from(head('transfer-encoding: chunked')), ...framed]);
}

/** Flag, length and what follows them. */
function mutateFrame(random: Random, whole: Buffer): Buffer {
  const changed = Buffer.from(whole);
  switch (random.below(7)) {
    case 0:
      changed[0] = random.pick([0, 1, 2, 3, 128, 255]);
      return changed;
    case 1:
      changed.writeUInt32BE(random.pick(lengths(random, whole)), 1);
      return changed;
    case 2:
      return whole.subarray(0, random.below(whole.length + 1));
    case 3:
      return Buffer.concat([whole, whole.subarray(0, 1 + random.below(whole.length))]);
    case 4:
      return Buffer.concat([random.bytes(1 + random.below(6)), whole]);
    case 5:
      return Buffer.concat([whole.subarray(0, 5), mutateBytes(random, whole.subarray(5), whole)]);
    default:
      return mutateBytes(random, whole, whole);
  }
}

/** Not between a megabyte and the bound: such a length asks for room that others then miss (L3). */
function lengths(random: Random, whole: Buffer): number[] {
  const length = whole.length - 5;
  return [0, length + 1, Math.max(0, length - 1), random.below(2 ** 20), 2 ** 26 + 1, 2 ** 32 - 1];
}

const [invalid, exhausted, internal, unavailable] = [3, 8, 13, 14];

function grpcExpected(gzip: boolean, body: Buffer): readonly number[] {
  if (body.length < 5) return [internal];
  const length = body.readUInt32BE(1);
  if (body[0]! > 1 || (body[0] === 1 && !gzip)) return [internal];
  if (length > 2 ** 26) return [exhausted];
  // Mutated bytes may have made a length that asks for much room, and is refused it.
  if (length > 2 ** 20) return [internal, invalid, unavailable];
  if (body.length - 5 !== length) {
    // What was decompressed so far may have been wrong before the end was seen to be.
    return body[0] === 1 ? [internal, invalid] : [internal];
  }
  const message = body.subarray(5);
  if (body[0] === 0) return grpcStatuses[judgeProtobuf(message)];
  const content = unpack('gzip', message);
  if (content === undefined) return [invalid, internal];
  return content === 'too large' ? [exhausted] : grpcStatuses[judgeProtobuf(content)];
}
