/**
 * A Bloom filter of numbers in lines of 64 bytes: all bits of a number lie in one line, so a test reads one line,
 * and a large filter can be stored in pieces. Ten bits a number: about 1.5 of 100 numbers that are not in the set
 * seem to be.
 */
export const lineBytes = 64;
const numbersPerLine = (lineBytes * 8) / 10;

/** A number's two hashes. */
export interface Hashes {
  line: number;
  bits: number;
}

export function filterOf(numbers: number): Uint8Array {
  return new Uint8Array(Math.max(1, Math.ceil(numbers / numbersPerLine)) * lineBytes);
}

/** The line of a hash in a filter of `lines` lines. */
export function lineOf(hash: number, lines: number): number {
  // 31 bits: V8 divides small integers fast.
  return (hash >>> 1) % lines;
}

export function addToFilter(filter: Uint8Array, line: number, bits: number): void {
  const start = lineOf(line, filter.length / lineBytes) * lineBytes;
  let more = bits;
  for (let i = 0; i < 2; i++) {
    for (let shift = 0; shift < 27; shift += 9) {
      const bit = (more >>> shift) & 511;
      filter[start + (bit >> 3)]! |= 1 << (bit & 7);
    }
    more = mixed(more);
  }
}

/** Whether a line of a filter may hold a number. @param start index of the line's first byte */
export function lineMayHold(filter: Uint8Array, start: number, bits: number): boolean {
  let more = bits;
  for (let i = 0; i < 2; i++) {
    for (let shift = 0; shift < 27; shift += 9) {
      const bit = (more >>> shift) & 511;
      if ((filter[start + (bit >> 3)]! & (1 << (bit & 7))) === 0) return false;
    }
    more = mixed(more);
  }
  return true;
}

export function addRow(filter: Uint8Array, row: number): void {
  const line = mixed(row);
  addToFilter(filter, line, mixed(line ^ row));
}

/** False: the row is not in the set. True: it is, or (1.5 %) it is not. */
export function mayHoldRow(filter: Uint8Array, row: number): boolean {
  const line = mixed(row);
  const start = lineOf(line, filter.length / lineBytes) * lineBytes;
  return lineMayHold(filter, start, mixed(line ^ row));
}

/** The hashes of the trace id at `at`. */
export function traceHashes(ids: Uint8Array, at: number, into: Hashes): void {
  let hash = 0;
  let word = 0;
  for (let i = at; i < at + 16; i += 4) {
    word = ids[i]! | (ids[i + 1]! << 8) | (ids[i + 2]! << 16) | (ids[i + 3]! << 24);
    hash = mixed(hash ^ word);
  }
  into.line = hash;
  into.bits = mixed(hash ^ word);
}

/** The last step of MurmurHash3: every bit of the result depends on every bit of the number. */
function mixed(number: number): number {
  let hash = number ^ (number >>> 16) ^ 0x9e3779b9;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
