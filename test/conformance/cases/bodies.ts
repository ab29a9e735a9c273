import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import {
  jsonTraces,
  jsonType,
  protobufType,
  serverSpan,
  traces,
} from '../../support/export-request.ts';
import { CaseList } from '../case.ts';
import { equal, matches } from '../check.ts';
import type { Answer, Post } from '../exchange.ts';
import { statusOf } from '../export-answer.ts';
import { storing } from '../own-target.ts';
import { post } from '../post.ts';
import { rawConnection, requestHead } from '../raw-connection.ts';
import type { Target } from '../target.ts';

/** docs/conformance.md E: compression and limits. */
const list = new CaseList();
export const bodyCases = list.cases;

type Pack = (body: Uint8Array) => Buffer;

/** At its usual quality brotli would take seconds for a body of 64 MiB. */
const brotli: Pack = (body) =>
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });

const codecs: [string, Pack][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['zstd', zstdCompressSync],
  ['br', brotli],
];

function encoding(name: string): Post {
  return { headers: { 'content-encoding': name } };
}

/** Posts what must be refused. */
async function refused(
  target: Target,
  body: Buffer | string,
  status: number,
  options?: Post,
): Promise<Answer> {
  const answer = await storing(target, 0, () => post(target, body, options));
  equal(answer.status, status);
  return answer;
}

list.http('E1', 'no compression', async (target) => {
  equal((await storing(target, 3, () => post(target, traces(3)))).status, 200);
});

for (const [name, pack] of codecs) {
  list.http('E1', `${name}, with Content-Length and chunked, protobuf and JSON`, async (target) => {
    const ways: [Buffer, Post][] = [
      [traces(2), encoding(name)],
      [traces(2), { ...encoding(name), chunked: true }],
      [Buffer.from(jsonTraces(2)), { ...encoding(name), type: jsonType }],
    ];
    for (const [body, options] of ways) {
      const answer = await storing(target, 2, () => post(target, pack(body), options));
      equal(answer.status, 200);
    }
  });
}

list.http('E1', 'raw deflate is understood too (ours)', async (target) => {
  const body = deflateRawSync(traces(1));
  equal((await storing(target, 1, () => post(target, body, encoding('deflate')))).status, 200);
});

list.http('E2', 'a valid snappy body is 400 (ours)', async (target) => {
  const answer = await refused(target, snappy(traces(1)), 400, encoding('snappy'));
  equal(statusOf(answer).message, 'unsupported Content-Encoding: snappy');
});

/** Snappy's block format with nothing but literals. */
function snappy(body: Buffer): Buffer {
  const parts = [varint(body.length)];
  for (let at = 0; at < body.length; at += 60) {
    const literal = body.subarray(at, at + 60);
    parts.push(Buffer.from([(literal.length - 1) << 2]), literal);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

for (const name of ['identity', '', ' IDENTITY ']) {
  list.http('E3', `Content-Encoding "${name}" is none`, async (target) => {
    const answer = await storing(target, 1, () => post(target, traces(1), encoding(name)));
    equal(answer.status, 200);
  });
}

list.http('E3', 'a token in any case, with spaces', async (target) => {
  const body = gzipSync(traces(1));
  equal((await storing(target, 1, () => post(target, body, encoding(' GZip')))).status, 200);
});

list.http('E3', 'gzip of several members', async (target) => {
  const body = traces(2);
  const members = Buffer.concat([gzipSync(body.subarray(0, 50)), gzipSync(body.subarray(50))]);
  equal((await storing(target, 2, () => post(target, members, encoding('gzip')))).status, 200);
});

list.http('E3', 'stacked codings are 400', async (target) => {
  await refused(target, gzipSync(gzipSync(traces(1))), 400, encoding('gzip, gzip'));
});

for (const name of ['nonsense', 'lz4', 'x-snappy-framed', 'none']) {
  list.http('E4', `${name} is 400`, async (target) => {
    const said = `unsupported Content-Encoding: ${name}`;
    const protobuf = await refused(target, traces(1), 400, encoding(name));
    equal([protobuf.headers['content-type'], statusOf(protobuf).message], [protobufType, said]);
    const json = await refused(target, '{}', 400, { ...encoding(name), type: jsonType });
    equal([json.headers['content-type'], statusOf(json).message], [jsonType, said]);
  });
}

list.http('E4', 'without Content-Type the error is JSON', async (target) => {
  const answer = await refused(target, traces(1), 400, { ...encoding('nonsense'), type: null });
  equal(answer.headers['content-type'], jsonType);
});

for (const [name, pack] of codecs) {
  list.http('E5', `${name}: another format, cut short, empty`, async (target) => {
    const packed = pack(traces(3));
    const bodies = {
      'another format': traces(1),
      'cut by a byte': packed.subarray(0, -1),
      'cut to five bytes': packed.subarray(0, 5),
      empty: Buffer.alloc(0),
    };
    for (const [what, body] of Object.entries(bodies)) {
      const answer = await storing(target, 0, () => post(target, body, encoding(name)));
      equal([answer.status, answer.headers['content-type']], [400, protobufType], what);
      equal(statusOf(answer).code, 3, `${what}: code`);
    }
    const json = { ...encoding(name), type: jsonType };
    equal(
      (await refused(target, packed.subarray(0, -3), 400, json)).headers['content-type'],
      jsonType,
    );
  });
}

/** A request of exactly so many bytes, filled up by an attribute. */
function sized(bytes: number): Buffer {
  const filled = (filler: number) =>
    encodeTraces([
      {
        attributes: [{ key: 'filler', value: 'x'.repeat(filler) }],
        scopes: [{ name: '', spans: [serverSpan()] }],
      },
    ]);
  const body = filled(bytes - (filled(bytes - 1000).length - bytes + 1000));
  equal(body.length, bytes, 'the size of the test body');
  return body;
}

for (const [name, pack] of codecs) {
  list.http(
    'E6',
    `${name}: the limit after decompression`,
    async (target) => {
      const { bodyBytesMax } = target;
      const most = pack(sized(bodyBytesMax));
      const answer = await storing(target, 1, () => post(target, most, encoding(name)));
      equal(answer.status, 200, 'exactly the limit');
      await refused(target, pack(sized(bodyBytesMax + 1)), 413, encoding(name));
    },
    'small',
  );

  list.http(
    'E6',
    `${name}: a bomb`,
    async (target) => {
      const bomb = pack(Buffer.alloc(4 * target.bodyBytesMax));
      await refused(target, bomb, 413, encoding(name));
      await refused(target, bomb, 413, { ...encoding(name), chunked: true });
    },
    'small',
  );
}

for (const chunked of [false, true]) {
  const told = chunked ? 'of unknown length' : 'told by its length';
  list.http(
    'E7',
    `exactly the limit passes, ${told}`,
    async (target) => {
      const body = sized(target.bodyBytesMax);
      equal((await storing(target, 1, () => post(target, body, { chunked }))).status, 200);
    },
    'small',
  );

  list.http(
    'E7',
    `one byte more is 413, ${told}`,
    async (target) => {
      const body = sized(target.bodyBytesMax + 1);
      const answer = await refused(target, body, 413, { chunked });
      equal(answer.headers['content-type'], protobufType);
      matches(statusOf(answer).message, new RegExp(String(target.bodyBytesMax)));
      equal(answer.headers['retry-after'], undefined, 'Retry-After');
    },
    'small',
  );
}

list.http(
  'E7',
  'a length over the limit is answered before the body comes (ours)',
  async (target) => {
    const head = requestHead(3 * target.bodyBytesMax);
    const { socket, answered } = rawConnection(target.httpUrl, head);
    const said = await answered().finally(() => socket.destroy());
    matches(said, /^HTTP\/1\.1 413 /);
  },
  'small',
);

list.inside('E7', 'the limit is 64 MiB unless told', async (target) => {
  equal((await refused(target, Buffer.alloc(64 * 2 ** 20 + 1), 413)).status, 413);
  const least = Buffer.alloc(64 * 2 ** 20);
  // An unknown field of this length is a request, if an empty one.
  Buffer.from([0x3a, 0xfb, 0xff, 0xff, 0x1f]).copy(least);
  equal((await post(target, least)).status, 200, 'exactly 64 MiB');
});

list.http('E8', 'zstd is decoded, or named as unsupported', async (target) => {
  const answer = await post(target, zstdCompressSync(traces(1)), encoding('zstd'));
  if (answer.status === 200) return;
  equal(answer.status, 400);
  equal(statusOf(answer).message, 'unsupported Content-Encoding: zstd');
});
