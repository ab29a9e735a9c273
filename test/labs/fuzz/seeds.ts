import { Random } from '../../../core/random.ts';
import { fixtureNames, readFixture } from '../../collector/support/fixture.ts';
import { randomRequest } from '../../collector/support/random-request.ts';
import { bytesField, shuffled } from '../../collector/support/wire.ts';
import { jsonTraces, traces } from '../../support/export-request.ts';
import { server } from '../load/payload.ts';
import { fieldsOf } from './fields.ts';
import { type Codec, pack } from './packing.ts';
import { recordCall } from './recorded-call.ts';

/** Small bodies that mutations begin with: pieces of what real exporters sent, and of what ours make. */
export interface Seeds {
  protobuf: readonly Buffer[];
  json: readonly Buffer[];
  /** Some of both, compressed: to compress anew for every case would take longer than all the rest. */
  packed: Record<Codec, readonly { encoding: 'protobuf' | 'json'; bytes: Buffer }[]>;
  /** All that an HTTP/2 connection of one call says. */
  call: Buffer;
}

/** @param nowMs of the spans that are not recorded ones */
export async function readSeeds(seed: number, nowMs: number): Promise<Seeds> {
  const protobuf: Buffer[] = [];
  const json: Buffer[] = [];
  for (const name of fixtureNames()) {
    for (const { contentType, body } of readFixture(name).messages) {
      if (contentType === 'application/json') json.push(...jsonPieces(body));
      else protobuf.push(...protobufPieces(body));
    }
  }
  const random = new Random(seed);
  protobuf.push(...protobufPieces(server(random, 8).bytes), traces(1), traces(3));
  for (let n = 0; n < 20; n += 1) {
    const body = randomRequest(random, shuffled(random), nowMs);
    if (body.length < bytesMost) protobuf.push(body);
  }
  json.push(Buffer.from(jsonTraces(1)), Buffer.from(jsonTraces(3)));
  const some = (codec: Codec) =>
    Array.from({ length: packedSeeds }, (_, n) => {
      const encoding = n % 3 === 0 ? ('json' as const) : ('protobuf' as const);
      const body = random.pick(encoding === 'json' ? json : protobuf);
      return { encoding, bytes: pack(random, codec, body) };
    });
  const packed = {
    gzip: some('gzip'),
    deflate: some('deflate'),
    zstd: some('zstd'),
    br: some('br'),
  };
  return { protobuf, json, packed, call: await recordCall(protobuf[0]!) };
}

const packedSeeds = 120;

/** Most mutations of a large body change what the one before it changed. */
const bytesMost = 3000;

/** The resource with one to three spans of one scope, as they stood on the wire. */
function protobufPieces(body: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (const resourceSpans of fieldsOf(body)) {
    const parts = fieldsOf(resourceSpans.content);
    const resource = parts.find(({ number }) => number === 1);
    for (const scopeSpans of parts.filter(({ number }) => number === 2)) {
      const fields = fieldsOf(scopeSpans.content);
      const scope = fields.find(({ number }) => number === 1);
      const spans = fields.filter(({ number }) => number === 2);
      for (let at = 0, count = 1; at < spans.length; at += count, count = 1 + (at % 3)) {
        const some = spans.slice(at, at + count).map(({ bytes }) => bytes);
        const content = [
          ...(resource === undefined ? [] : [resource.bytes]),
          bytesField(2, Buffer.concat([...(scope === undefined ? [] : [scope.bytes]), ...some])),
        ];
        const piece = bytesField(1, Buffer.concat(content));
        if (piece.length < bytesMost) pieces.push(piece);
      }
    }
  }
  return pieces;
}

interface JsonRequest {
  resourceSpans: { resource: unknown; scopeSpans: { scope: unknown; spans: unknown[] }[] }[];
}

function jsonPieces(body: Buffer): Buffer[] {
  const { resourceSpans } = JSON.parse(body.toString()) as JsonRequest;
  const pieces: Buffer[] = [];
  for (const { resource, scopeSpans } of resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      for (let at = 0; at < spans.length; at += 2) {
        const some = [{ scope, spans: spans.slice(at, at + 2) }];
        const piece = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: some }] });
        if (piece.length < bytesMost) pieces.push(Buffer.from(piece));
      }
    }
  }
  return pieces;
}
