import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import { assertSealed, checksumBytes, DamagedError, sealed } from '../sealed.ts';

/**
 * A part of a call block: frames that are compressed each by itself, so that a reader decompresses only the calls
 * it needs. `u32 checksum, u8 version, varint frames`, for each frame `varint its bytes, varint its bytes as
 * stored`, and the frames. A frame with equal lengths is stored as it is.
 */
export const partVersion = 1;

/**
 * zstd's level 1, its fastest with entropy coding, with tables for frames of some ten thousand bytes. Each frame gets a
 * new context, whose memory V8 counts: those of the level's own 512 KiB window made it collect the whole heap eight
 * times a second.
 */
const options = {
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    [constants.ZSTD_c_windowLog]: 15,
    [constants.ZSTD_c_hashLog]: 13,
  },
};
/** Shorter frames are stored as they are. */
const compressedBytesLeast = 64;
/** Bytes that are compressed to decide whether the whole is worth it: random trace ids are not. */
const sampleBytes = 16 * 1024;

/** @param isLikelyRandom a sample of each frame decides whether it is compressed */
export function encodePart(frames: readonly Uint8Array[], isLikelyRandom = false): Buffer {
  const stored = frames.map((frame) => compressed(frame, isLikelyRandom));
  const storedBytes = stored.reduce((sum, { length }) => sum + length, 0);
  const head = new Uint8Array(checksumBytes + 1 + 8 + 16 * frames.length);
  head[checksumBytes] = partVersion;
  let at = putVarint(head, checksumBytes + 1, frames.length);
  for (const [i, frame] of frames.entries()) {
    at = putVarint(head, at, frame.length);
    at = putVarint(head, at, stored[i]!.length);
  }
  const part = Buffer.allocUnsafe(at + storedBytes);
  part.set(head.subarray(0, at));
  for (const frame of stored) {
    part.set(frame, at);
    at += frame.length;
  }
  return sealed(part);
}

function compressed(frame: Uint8Array, isLikelyRandom: boolean): Uint8Array {
  if (frame.length < compressedBytesLeast) return frame;
  if (isLikelyRandom && frame.length > sampleBytes) {
    const sample = frame.subarray(0, sampleBytes);
    if (compressed(sample, false) === sample) return frame;
  }
  const smaller = zstdCompressSync(frame, options);
  // Decompression must be worth some bytes.
  return smaller.length < frame.length * 0.97 ? smaller : frame;
}

/** Reads the frames of one part, each when it is asked for. */
export class PartReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #frames: { bytes: number; start: number; end: number }[] = [];

  /** @param what names the part for people @throws DamagedError */
  constructor(bytes: Uint8Array, what: string) {
    assertSealed(bytes, what);
    if (bytes[checksumBytes] !== partVersion) {
      const found = `version ${bytes[checksumBytes]}, this program knows ${partVersion}`;
      throw new DamagedError(what, found);
    }
    this.#bytes = bytes;
    this.#what = what;
    const reader = new VarintReader();
    reader.seek(bytes, checksumBytes + 1);
    const frames = reader.next();
    let end = 0;
    for (let i = 0; i < frames; i++) {
      const frame = { bytes: reader.next(), start: end, end: end + reader.next() };
      this.#frames.push(frame);
      end = frame.end;
    }
    for (const frame of this.#frames) {
      frame.start += reader.at;
      frame.end += reader.at;
    }
  }

  get frames(): number {
    return this.#frames.length;
  }

  /** @throws DamagedError */
  frame(index: number): Uint8Array {
    const frame = this.#frames[index];
    if (frame === undefined) throw new DamagedError(this.#what, `it has no frame ${index}`);
    const stored = this.#bytes.subarray(frame.start, frame.end);
    if (stored.length === frame.bytes) return stored;
    try {
      // One chunk takes the whole frame.
      const chunkSize = Math.max(frame.bytes, compressedBytesLeast);
      return zstdDecompressSync(stored, { maxOutputLength: frame.bytes, chunkSize });
    } catch (error) {
      throw new DamagedError(this.#what, (error as Error).message);
    }
  }
}
