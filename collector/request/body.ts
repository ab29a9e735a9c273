import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { AppError, asAppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Share } from '../../core/server/byte-budget.ts';
import { ChunkSizes } from '../../core/server/chunk-sizes.ts';

/**
 * Collects one complete body, decompressed, within bounds, of any transport. Decompression is a stream off the
 * event loop that stops at the bound: a decompression bomb costs as much as a body of the largest size.
 */
export interface Body {
  bytes: Buffer;
  /** Gives the memory back; `bytes` must not be read afterwards. */
  release(): void;
}

export type Codec = 'identity' | 'gzip' | 'deflate' | 'zstd' | 'br';

export interface BodyOptions {
  codec: Codec;
  /** Bound on the body as sent and again after decompression. */
  bytesMax: number;
  share: Share;
  pool: BufferPool;
}

/** The codec of a Content-Encoding header. @throws AppError `invalid` for one we do not know (E4) */
export function codecOf(header: string | undefined): Codec {
  const name = (header ?? '').trim().toLowerCase();
  const codec = codecs.get(name);
  if (codec !== undefined) return codec;
  throw new AppError('invalid', `unsupported Content-Encoding: ${header}`, {
    field: 'Content-Encoding',
  });
}

/** @throws AppError `too_large` when the declared length exceeds the bound: nothing is read */
export function checkDeclared(declared: number | undefined, bytesMax: number): void {
  if (declared !== undefined && declared > bytesMax) throw tooLarge(`${declared} bytes`, bytesMax);
}

/** Receives the pieces of one body from any transport. Called back once, at its end or failure. */
export interface Intake {
  /** May throw an AppError, which is then to be given to `fail`. */
  chunk(chunk: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

export interface IntakeEnds {
  /** Where the pieces come from; held up while decompression is behind. */
  flow: { pause(): unknown; resume(): unknown };
  resolve(body: Body): void;
  /** After this no piece is wanted. */
  reject(error: Error): void;
}

/** @param declared bytes of the body as sent, where they are known beforehand */
export function openIntake(
  options: BodyOptions,
  declared: number | undefined,
  ends: IntakeEnds,
): Intake {
  return options.codec === 'identity'
    ? plainIntake(options, declared, ends)
    : packedIntake(options, options.codec, ends);
}

/** The client disconnected before its body was complete; there is no one to answer. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

const codecs = new Map<string, Codec>([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zlib', 'deflate'],
  ['zstd', 'zstd'],
  ['br', 'br'],
]);

function plainIntake(
  options: BodyOptions,
  declared: number | undefined,
  { resolve, reject }: IntakeEnds,
): Intake {
  const collected = new Collected(options);
  const chunks = new ChunkSizes();
  const fail = (error: Error): void => {
    collected.discard();
    reject(error);
  };
  options.share.whenLost(fail);
  return {
    chunk: (chunk) => {
      chunks.add(chunk.length);
      options.share.grow(chunk.length);
      if (chunk.length === declared) collected.adopt(chunk);
      else collected.add(chunk, declared);
    },
    end: () => resolve(collected.body()),
    fail,
  };
}

function packedIntake(
  options: BodyOptions,
  codec: Exclude<Codec, 'identity'>,
  { flow, resolve, reject }: IntakeEnds,
): Intake {
  const { share } = options;
  const collected = new Collected(options);
  const chunks = new ChunkSizes();
  let received = 0;
  let unpack: Transform | undefined;
  const fail = (error: Error): void => {
    unpack?.destroy();
    collected.discard();
    reject(error);
  };
  let expanded = 0;
  const unpacked = (chunk: Buffer): void => {
    expanded += chunk.length;
    if (expanded > limits.expansionFreeBytes && expanded > received * limits.expansion) {
      throw new AppError(
        'too_large',
        `the body decompresses to more than ${limits.expansion} times its ${received} bytes`,
      );
    }
    share.grow(chunk.length);
    collected.add(chunk);
  };
  share.whenLost(fail);
  const open = (first: Buffer): Transform => {
    share.grow(limits.decompressorBytes);
    const stream = decompressor(codec, first);
    stream.on('data', guarded(unpacked, fail));
    stream.on('end', () => resolve(collected.body()));
    stream.on('error', (error) => fail(notValid(codec, error.message)));
    stream.on('drain', () => flow.resume());
    return stream;
  };
  return {
    chunk: (chunk) => {
      chunks.add(chunk.length);
      received += chunk.length;
      share.grow(chunk.length);
      if (received > options.bytesMax) throw tooLarge(`${received} bytes`, options.bytesMax);
      unpack ??= open(chunk);
      if (!unpack.write(chunk)) flow.pause();
    },
    end: () => {
      if (unpack === undefined) fail(notValid(codec, 'it is empty'));
      else unpack.end();
    },
    fail,
  };
}

/** The chunks of one body, copied together into one buffer that grows no further than the bound. */
class Collected {
  readonly #options: BodyOptions;
  #buffer: Buffer | undefined;
  #pooled = false;
  #length = 0;

  constructor(options: BodyOptions) {
    this.#options = options;
  }

  /** Takes a chunk that is the whole body as it is. */
  adopt(chunk: Buffer): void {
    this.#buffer = chunk;
    this.#length = chunk.length;
  }

  add(chunk: Buffer, expectedBytes = 0): void {
    const { bytesMax } = this.#options;
    const length = this.#length + chunk.length;
    if (length > bytesMax) throw tooLarge(`more than ${bytesMax} bytes`, bytesMax);
    this.#reserve(length, expectedBytes);
    chunk.copy(this.#buffer!, this.#length);
    this.#length = length;
  }

  body(): Body {
    this.#options.share.whole();
    const bytes = this.#buffer?.subarray(0, this.#length) ?? Buffer.alloc(0);
    return { bytes, release: () => this.discard() };
  }

  discard(): void {
    if (this.#pooled) this.#options.pool.give(this.#buffer!);
    this.#pooled = false;
    this.#buffer = undefined;
  }

  /** Memory grows with the received bytes. A declared length is trusted only up to a bound. */
  #reserve(bytes: number, expectedBytes: number): void {
    const held = this.#buffer?.length ?? 0;
    if (bytes <= held) return;
    const { pool, bytesMax } = this.#options;
    const believed = Math.min(expectedBytes, limits.firstBufferBytes);
    const wanted = Math.min(Math.max(bytes, held * 2, believed), bytesMax);
    const next = pool.take(wanted);
    this.#buffer?.copy(next, 0, 0, this.#length);
    this.discard();
    this.#buffer = next;
    this.#pooled = true;
  }
}

/**
 * Buffers for bodies, used again: fresh memory costs a page fault every 4 KiB (measured: copying 143 KB
 * into a fresh buffer 32 µs, into a used one 4 µs). Keeps sizes of powers of two, a few megabytes in all.
 */
export class BufferPool {
  readonly #kept = new Map<number, Buffer[]>();
  #keptBytes = 0;

  /** @returns a buffer of at least this many bytes, with arbitrary content */
  take(bytes: number): Buffer {
    const size = 2 ** Math.max(Math.ceil(Math.log2(bytes)), leastLog2);
    if (size > mostBytes) return Buffer.allocUnsafeSlow(bytes);
    const kept = this.#kept.get(size)?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return kept;
  }

  /** Returns a buffer of `take` to the pool. Call once, when no one reads it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size > mostBytes || this.#keptBytes + size > keptBytesMost) return;
    const list = this.#kept.get(size);
    if (list === undefined) this.#kept.set(size, [buffer]);
    else list.push(buffer);
    this.#keptBytes += size;
  }
}

const leastLog2 = 14;
/** Larger bodies are rare, and their memory should go back to the system. */
const mostBytes = 2 ** 21;
const keptBytesMost = 2 ** 23;

/** Gives what `act` throws to `fail`. */
export function guarded<T>(
  act: (value: T) => void,
  fail: (error: Error) => void,
): (value: T) => void {
  return (value) => {
    try {
      act(value);
    } catch (error) {
      fail(asAppError(error));
    }
  };
}

function decompressor(codec: Exclude<Codec, 'identity'>, first: Buffer): Transform {
  const chunkSize = outputChunkBytes;
  switch (codec) {
    case 'gzip':
      return createGunzip({ chunkSize });
    case 'deflate':
      // The first byte of zlib's format holds the method, 8. Raw deflate, which some senders call deflate,
      // never begins with it.
      return (first[0]! & 0x0f) === 8
        ? createInflate({ chunkSize })
        : createInflateRaw({ chunkSize });
    case 'zstd':
      return createZstdDecompress({
        chunkSize,
        params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog2 },
      });
    case 'br':
      return createBrotliDecompress({ chunkSize });
  }
}

/** Four times Node's default: each chunk is a round trip to a thread of the pool. */
const outputChunkBytes = 64 * 1024;
/** RFC 9659: zstd as a content coding needs no window beyond 8 MiB; a frame may declare far more. */
const zstdWindowLog2 = 23;

function tooLarge(seen: string, bytesMax: number): AppError {
  return new AppError('too_large', `the body has ${seen}; the bound is ${bytesMax} bytes`);
}

function notValid(codec: Codec, why: string): AppError {
  return new AppError('invalid', `the body is not valid ${codec}: ${why}`);
}
