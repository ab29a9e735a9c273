import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { Random } from '../../../core/random.ts';

/** Compressions by their names, and what zlib itself makes of bytes that claim to be one. */
export type Codec = 'gzip' | 'deflate' | 'zstd' | 'br';

const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** Levels and forms as senders use them. */
export function pack(random: Random, codec: Codec, bytes: Buffer): Buffer {
  const level = random.pick([1, 6, 0]);
  switch (codec) {
    case 'gzip':
      return gzipSync(bytes, { level });
    case 'deflate':
      return random.below(4) === 0
        ? deflateRawSync(bytes, { level })
        : deflateSync(bytes, { level });
    case 'zstd':
      return zstdCompressSync(bytes, {
        params: { [constants.ZSTD_c_checksumFlag]: random.below(2) },
      });
    case 'br':
      return brotliCompressSync(bytes, quick);
  }
}

/** @returns undefined when it is not valid, `too large` beyond the bound on one body */
export function unpack(codec: Codec, bytes: Buffer): Buffer | 'too large' | undefined {
  if (bytes.length === 0) return undefined;
  try {
    return unpacked(codec, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'too large'
      : undefined;
  }
}

const bound = { maxOutputLength: 64 * 2 ** 20 };
const zstdBound = { ...bound, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

function unpacked(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'gzip':
      return gunzipSync(bytes, bound);
    case 'deflate':
      return (bytes[0]! & 15) === 8 ? inflateSync(bytes, bound) : inflateRawSync(bytes, bound);
    case 'zstd':
      return zstdDecompressSync(bytes, zstdBound);
    case 'br':
      return brotliDecompressSync(bytes, bound);
  }
}
