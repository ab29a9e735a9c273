import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBody } from '../../../collector/http/export.ts';
import {
  BufferPool,
  type Codec,
  codecOf,
  Gone,
  openIntake,
} from '../../../collector/request/body.ts';
import { AppError } from '../../../core/error.ts';
import { ByteBudget } from '../../../core/server/byte-budget.ts';
import { waitFor } from '../../support/wait.ts';

const bytesMax = 256 * 1024;
const budget = new ByteBudget(64 * 1024 * 1024);
const pool = new BufferPool();
let server: Server;
let port: number;
/** Errors of bodies nobody got an answer for. */
const failures: unknown[] = [];

/** Answers with the body it read, or with the code of the error. */
beforeAll(async () => {
  server = createServer(async (incoming, outgoing) => {
    const share = budget.admit({
      connection: incoming.socket,
      address: '127.0.0.1',
      project: 'default',
    });
    try {
      const codec = codecOf(incoming.headers['content-encoding']);
      const body = await readBody(incoming, { codec, bytesMax, share, pool });
      outgoing.end(Buffer.from(body.bytes));
      body.release();
    } catch (error) {
      failures.push(error);
      incoming.resume();
      outgoing.statusCode = 400;
      outgoing.end(error instanceof AppError ? error.code : String(error));
    } finally {
      share.release();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function send(body: Buffer, encoding?: string, chunked = false): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = {};
    if (encoding !== undefined) headers['content-encoding'] = encoding;
    if (!chunked) headers['content-length'] = body.length;
    const outgoing = request({ port, method: 'POST', headers, agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => resolve(Buffer.concat(parts)));
    });
    outgoing.on('error', reject);
    if (!chunked) {
      outgoing.end(body);
      return;
    }
    for (let at = 0; at < body.length; at += 7777) outgoing.write(body.subarray(at, at + 7777));
    outgoing.end();
  });
}

const codecs: [string, Exclude<Codec, 'identity'>, (data: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['deflate', 'deflate', deflateSync],
  ['raw deflate', 'deflate', deflateRawSync],
  ['zstd', 'zstd', zstdCompressSync],
  ['br', 'br', brotliCompressSync],
];

/** Compresses little, so that the compressed body comes in several chunks. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe('a plain body', () => {
  test.each([0, 1, 1000, 65_536, 200_000, bytesMax])(
    'of %i bytes comes as it was sent',
    async (length) => {
      const body = noise(length);
      expect((await send(body)).equals(body)).toBe(true);
      expect((await send(body, 'identity', true)).equals(body)).toBe(true);
    },
  );

  test('beyond the bound is refused, also when its length was not told', async () => {
    expect(String(await send(noise(bytesMax + 1), undefined, true))).toBe('too_large');
  });

  test('gives all of its budget back', () => {
    expect(budget.bytes).toBe(0);
  });
});

describe.each(codecs)('%s', (_name, codec, compress) => {
  test.each([1, 1000, bytesMax])('%i bytes come decompressed', async (length) => {
    const body = noise(length);
    const packed = compress(body);
    if (packed.length <= bytesMax) expect((await send(packed, codec)).equals(body)).toBe(true);
    const zeros = Buffer.alloc(length);
    expect((await send(compress(zeros), codec, true)).equals(zeros)).toBe(true);
  });

  test('nothing inside is an empty body', async () => {
    expect((await send(compress(Buffer.alloc(0)), codec)).length).toBe(0);
  });

  test('stops at the bound', async () => {
    const bomb = compress(Buffer.alloc(64 * 1024 * 1024));
    expect(String(await send(bomb, codec))).toBe('too_large');
    expect(budget.bytes).toBe(0);
  });

  test('cut short, empty or garbage is invalid', async () => {
    const packed = compress(noise(5000));
    for (const cut of [1, 2, 10, packed.length >> 1, packed.length - 1]) {
      expect(String(await send(packed.subarray(0, cut), codec)), `${cut} bytes`).toBe('invalid');
    }
    expect(String(await send(Buffer.alloc(0), codec))).toBe('invalid');
    expect(String(await send(Buffer.from('this is no archive'.repeat(9)), codec))).toBe('invalid');
  });
});

test('gzip may have several members', async () => {
  const parts = ['one ', 'two ', 'three'].map((text) => gzipSync(text));
  expect(String(await send(Buffer.concat(parts), 'GZIP '))).toBe('one two three');
});

test('a zstd window beyond what HTTP allows is refused, not allocated', async () => {
  // Magic, a header that declares a window of 2^27 bytes, and a last, empty block.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 1, 0, 0]);
  expect(String(await send(frame, 'zstd'))).toBe('invalid');
});

test.each(['snappy', 'lz4', 'gzip, gzip', 'gzip,identity', 'zst'])(
  '%s is unknown',
  async (name) => {
    expect(() => codecOf(name)).toThrow(`unsupported Content-Encoding: ${name}`);
  },
);

test('a client that goes away leaves nothing behind', async () => {
  failures.length = 0;
  for (const encoding of ['identity', 'gzip']) {
    const socket = connect(port, '127.0.0.1');
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-encoding: ${encoding}\r\ncontent-length: 90000\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), gzipSync(noise(5000))]));
    await waitFor('the first bytes', () => budget.bytes > 0, { everyMs: 0 });
    socket.destroy();
    await waitFor('an empty budget', () => budget.bytes === 0, { everyMs: 0 });
  }
  await turn();
  expect(failures).toHaveLength(2);
  for (const failure of failures) expect(failure).toBeInstanceOf(Gone);
});

test('a body that expands beyond what gzip can do is refused before it is whole', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(12 * 1024 * 1024));
  const share = budget.admit({ connection: {}, address: '127.0.0.1', project: 'default' });
  const read = new Promise((resolve, reject) => {
    const flow = { pause() {}, resume() {} };
    const options = { codec: 'br', bytesMax: 64 * 1024 * 1024, share, pool } as const;
    const intake = openIntake(options, bomb.length, { flow, resolve, reject });
    intake.chunk(bomb);
    intake.end();
  });
  await expect(read).rejects.toThrow(
    `the body decompresses to more than 1100 times its ${bomb.length} bytes`,
  );
  share.release();
});

test('a body in chunks of a few bytes is refused by name', async () => {
  const share = budget.admit({ connection: {}, address: '127.0.0.1', project: 'default' });
  const flow = { pause() {}, resume() {} };
  const options = { codec: 'identity', bytesMax, share, pool } as const;
  const intake = openIntake(options, undefined, { flow, resolve() {}, reject() {} });
  const byte = Buffer.from('x');
  expect(() => {
    for (let n = 0; n < 5000; n += 1) intake.chunk(byte);
  }).toThrow('the body comes in 4096 chunks of 1 bytes on average; at least 16 are asked');
  intake.fail(new Error('refused'));
  share.release();
});
