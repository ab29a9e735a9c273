/** Strings as they are kept: cut to a bound of core/limits.ts at a character, and without NUL. */

/** How many of the bytes are kept: at most `bytesMax`, never half a character. */
export function truncatedLength(
  bytes: Buffer,
  start: number,
  length: number,
  bytesMax: number,
): number {
  if (length <= bytesMax) return length;
  let kept = bytesMax;
  // A continuation byte at the cut belongs to a character that began before it.
  while (kept > 0 && (bytes[start + kept]! & 0xc0) === 0x80) kept -= 1;
  // Nothing but continuation bytes: no characters that could be halved.
  return kept === 0 ? bytesMax : kept;
}

/** For decoded text: replaced bytes take more room than they had. NUL would end it in SQLite's shell. */
export function truncateUtf8(text: string, bytesMax: number): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
  if (clean.length * 3 <= bytesMax || Buffer.byteLength(clean) <= bytesMax) return clean;
  const bytes = Buffer.from(clean);
  return bytes.toString('utf8', 0, truncatedLength(bytes, 0, bytes.length, bytesMax));
}
