import { describe, expect, test } from 'vitest';
import { hashBytes } from '../../../collector/intern/hash.ts';
import { Interner } from '../../../collector/intern/interner.ts';
import { TripleTable } from '../../../collector/intern/triple-table.ts';
import { Random } from '../../../core/random.ts';

describe('words', () => {
  test('get the numbers a Map would give, whatever their length', () => {
    const random = new Random(3);
    const interner = new Interner();
    const numbers = new Map<string, number>();
    for (let i = 0; i < 60_000; i += 1) {
      const word = Array.from({ length: random.below(14) }, () => random.below(4)).join('');
      const padding = random.below(5);
      const bytes = Buffer.from('x'.repeat(padding) + word);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (!numbers.has(word)) numbers.set(word, word === '' ? 0 : interner.size + 1);
      expect(interner.intern(bytes, view, padding, word.length)).toBe(numbers.get(word));
    }
    for (const [word, number] of numbers) {
      expect(interner.text(number)).toBe(word);
      expect(interner.internText(word)).toBe(number);
    }
    expect(interner.size).toBe([...numbers.keys()].filter((word) => word !== '').length);
  });

  test('differ by any one bit', () => {
    const interner = new Interner();
    const bytes = Buffer.alloc(37, 0x80);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const seen = new Set([interner.intern(bytes, view, 0, 37)]);
    for (let bit = 0; bit < 37 * 8; bit += 1) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(interner.intern(bytes, view, 0, 37));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(seen.size).toBe(37 * 8 + 1);
  });

  test('cannot be chosen to collide: bits that cancel in a chain of multiplications do not', () => {
    const hashes = new Set<number>();
    for (let choice = 0; choice < 4096; choice += 1) {
      const bytes = Buffer.alloc(192, 0x41);
      for (let pair = 0; pair < 12; pair += 1) {
        if (((choice >> pair) & 1) === 0) continue;
        bytes[pair * 16 + 3]! ^= 0x80;
        bytes[pair * 16 + 7]! ^= 0x80;
        bytes[pair * 16 + 9]! ^= 0x40;
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      hashes.add(hashBytes(view, 0, bytes.length));
    }
    // What flips here leaves 18 of the hash's bits to chance, so that one of the 3^12 ways in which choices differ
    // is expected to collide; where all three flips cancel, one hash is left. That fewer than a fourth are takes
    // two accidents of the rarest kind (one choice of twelve without effect, 1 in 20,000): 1 in 10^9.
    expect(hashes.size).toBeGreaterThan(1000);
  });

  test('are forgotten', () => {
    const interner = new Interner();
    for (let i = 0; i < 5000; i += 1) interner.internText(`word ${i}`);
    interner.clear();
    expect([interner.size, interner.bytes, interner.weight]).toEqual([0, 0, 0]);
    expect(interner.internText('word 4000')).toBe(1);
  });

  test('weigh by their length: the bound on their number bounds the memory', () => {
    const interner = new Interner();
    interner.internText('x'.repeat(640));
    expect(interner.weight).toBe(11);
  });
});

test('triples keep their values, as a Map would', () => {
  const random = new Random(4);
  const table = new TripleTable();
  const values = new Map<string, number>();
  for (let i = 1; i < 50_000; i += 1) {
    const triple = [random.below(30), random.below(300) - 150, random.below(8)] as const;
    expect(table.get(...triple)).toBe(values.get(triple.join()) ?? 0);
    table.set(...triple, -i);
    values.set(triple.join(), -i);
  }
  expect(table.size).toBe(values.size);
  for (const [key, value] of values) {
    const [a, b, c] = key.split(',').map(Number);
    expect(table.get(a!, b!, c!)).toBe(value);
  }
  table.clear();
  expect([table.size, table.get(1, 1, 1)]).toEqual([0, 0]);
});
