import type { Equivalent } from './report.ts';

/** Faults that no test can notice, each with the reason. */
export const equivalents: readonly Equivalent[] = [
  ...of('core/auth/credentials.ts', 'const [, key] = /^bearer +(\\S+)$/i.exec(text) ?? [];', {
    '["Stryker was here"]': 'the first element is not read',
  }),
  ...of('core/auth/credentials.ts', "if (!text.includes('%')) return text;", {
    false: 'a text without % is decoded to itself',
    '""': 'a text without % is decoded to itself',
  }),
  ...of(
    'core/auth/failed-attempts.ts',
    "const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);",
    { '"Stryker was here!"': 'a split has a first element, always' },
  ),
  ...of('core/auth/failed-attempts.ts', "const right = tail === '' ? 0 : tail.split(':').length;", {
    false: 'at least seven groups are left, of which four are read',
    '"Stryker was here!"': 'at least seven groups are left, of which four are read',
  }),
  ...of(
    'core/server/byte-budget.ts',
    'if (more > 0 && this.#largeBytes + more > this.#bytesMax * largePart) return false;',
    {
      true: 'large bytes never pass their part, so 0 more of them do not',
      'more >= 0': 'large bytes never pass their part, so 0 more of them do not',
    },
  ),
  ...of(
    'core/server/byte-budget.ts',
    'if (share.seenBytes >= 0 && elapsedMs >= limits.bodyProgressMs) {',
    { true: 'looks are bodyProgressMs apart, and each look is noted for every share' },
  ),
  ...of(
    'collector/ingest/large-message.ts',
    'if (extractor.size > provingStrings) extractor.reset();',
    Object.fromEntries(
      ['true', 'false', 'extractor.size >= provingStrings', 'extractor.size <= provingStrings'].map(
        (replacement) => [replacement, 'it decides when memory is given back, nothing else'],
      ),
    ),
  ),
  ...of('collector/ingest/large-message.ts', 'joins: false,', {
    true: 'the calls of the check are thrown away, joined or not',
  }),
  ...of(
    'core/store/sqlite/calls/frames.ts',
    'const head = new Uint8Array(checksumBytes + 1 + 8 + 16 * frames.length);',
    { 'checksumBytes - 1': 'the varints leave more than two of these bytes unused' },
  ),
  ...of('core/store/sqlite/calls/slowest-calls.ts', 'if (places.length === 4 * count) {', {
    false: 'it keeps the list short; the longest are chosen from it at the end',
  }),
  ...of(
    'core/store/sqlite/reader/snapshot.ts',
    'this.#held = { selection, window: { fromS, toS } };',
    { '{}': 'the calls are added up again' },
  ),
  ...of('core/store/sqlite/search/call-search.ts', 'if (frameOfCall !== frame) {', {
    true: 'a frame that is there is decoded again',
  }),
  ...of(
    'core/store/sqlite/search/candidate-calls.ts',
    'if (this.#leastClass === 0 || (last && last.durationNs >= leastNs)) return last;',
    { false: 'the bound is further away: more calls are visited, the same are found' },
  ),
  ...of('core/store/sqlite/search/first-calls.ts', 'get last(): CallPosition | undefined {', {
    '{}': 'without a bound more calls are visited, the same are found',
  }),
  ...of('core/store/sqlite/search/stored-pieces.ts', 'if (known !== undefined) return known;', {
    false: 'a piece is read again',
  }),
  ...of(
    'core/store/sqlite/spellings.ts',
    'pairs.some(([a, b]) => (a === row && b === other) || (a === other && b === row));',
    {
      'a === row && b === other && a === other && b === row':
        'a pair that is found again is one that addPair knows',
    },
  ),
  ...of('core/store/sqlite/writer-lock.ts', 'while (performance.now() < untilMs) {', {
    'performance.now() <= untilMs': 'the two are never equal to the last bit',
  }),
  ...of('core/store/sqlite/writer/dimensions.ts', '#sideBySide: [number, number][] = [];', {
    '["Stryker was here"]': 'the first words begin an epoch, which empties the list',
  }),
];

/** @param reasons by replacement */
function of(file: string, line: string, reasons: Record<string, string>): Equivalent[] {
  return Object.entries(reasons).map(([replacement, reason]) => ({
    file,
    line,
    replacement,
    reason,
  }));
}
