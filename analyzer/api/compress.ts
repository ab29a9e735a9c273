import { promisify } from 'node:util';
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib';
import { limits } from '../../core/limits.ts';

/** Content codings of answers. They are compressed on zlib's threads, not on the event loop. */

export type Coding = 'br' | 'zstd' | 'gzip';

/** The best first. Brotli's quality 4 takes about as long as gzip and is a fifth smaller. */
const compressors: Record<Coding, (bytes: Uint8Array) => Promise<Uint8Array>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: brotliParameters }),
  zstd: promisify(zstdCompress),
  gzip: promisify(gzip),
};

const brotliParameters = {
  [constants.BROTLI_PARAM_QUALITY]: 4,
  [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
};

/** Answers whose compressed bytes are being made or sent: askers that share an answer share these too. */
const shared = new WeakMap<Uint8Array, Map<Coding, Promise<Uint8Array>>>();

/**
 * @param bytes must not change any more
 * @param accept the request's Accept-Encoding
 * @returns the bytes as they are when they are few, or the client takes no coding of ours
 */
export async function compressed(
  bytes: Uint8Array,
  accept: string,
): Promise<{ bytes: Uint8Array; coding?: Coding }> {
  if (bytes.length < limits.compressedFromBytes) return { bytes };
  const accepted = acceptedCodings(accept);
  const coding = (Object.keys(compressors) as Coding[]).find((name) => accepted.has(name));
  if (coding === undefined) return { bytes };
  const byCoding = shared.get(bytes) ?? new Map<Coding, Promise<Uint8Array>>();
  shared.set(bytes, byCoding);
  const coded = byCoding.get(coding) ?? compressors[coding](bytes);
  byCoding.set(coding, coded);
  return { bytes: await coded, coding };
}

/** Names in lower case, without those whose quality is 0. */
export function acceptedCodings(accept: string): ReadonlySet<string> {
  const codings = accept
    .toLowerCase()
    .split(',')
    .map((coding) => coding.split(';').map((part) => part.trim()))
    .filter(([, quality]) => !/^q=0(\.0*)?$/.test(quality ?? ''));
  return new Set(codings.map(([name]) => name!));
}
