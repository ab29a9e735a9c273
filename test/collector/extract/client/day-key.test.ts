import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DayKey, destroyDayKey } from '../../../../collector/extract/client/day-key.ts';
import { openClientPrivacy } from '../../../../collector/extract/client/privacy.ts';
import { openLog } from '../../../../core/log.ts';
import { temporaryFolder } from '../../../support/process.ts';

const log = openLog('test', 'silent');
const dayMs = 86_400_000;
const noon = Date.UTC(2026, 10, 22, 12);

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = `${folder.path}/key`;
});
afterEach(() => folder.remove());

describe("the day's key", () => {
  test('stays the same over restarts of its day, and is another on the next', () => {
    const key = new DayKey(path, noon);
    const before = Buffer.from(key.key);
    expect(before).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new DayKey(path, noon + dayMs / 2 - 1).key.equals(before)).toBe(true);
    const held = key.key;
    key.turn(noon + dayMs / 2);
    expect(held.equals(Buffer.alloc(32))).toBe(true);
    expect(key.key.equals(before)).toBe(false);
    expect(readFileSync(path).includes(before)).toBe(false);
    expect(new DayKey(path, noon + dayMs).key.equals(key.key)).toBe(true);
  });

  test('is written over where it lies: the file is never another one', () => {
    const key = new DayKey(path, noon);
    const { ino, size } = statSync(path);
    key.turn(noon + dayMs);
    expect(statSync(path)).toMatchObject({ ino, size });
    expect(readdirSync(folder.path)).toEqual(['key']);
  });

  test('of yesterday is overwritten by a start', () => {
    const before = Buffer.from(new DayKey(path, noon).key);
    const after = new DayKey(path, noon + 3 * dayMs).key;
    expect(after.equals(before)).toBe(false);
    expect(readFileSync(path).includes(before)).toBe(false);
  });

  test('in a damaged file is no key; another mode removes the file', () => {
    const before = Buffer.from(new DayKey(path, noon).key);
    const content = readFileSync(path);
    content[10]! ^= 1;
    writeFileSync(path, content);
    expect(new DayKey(path, noon).key.equals(before)).toBe(false);
    writeFileSync(path, Buffer.concat([content, content]));
    new DayKey(path, noon);
    expect(statSync(path).size).toBe(40);
    chmodSync(path, 0o644);
    new DayKey(path, noon);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    openClientPrivacy({ mode: 'full', keyPath: path, log });
    expect(existsSync(path)).toBe(false);
    destroyDayKey(path);
  });

  test('that cannot be kept ends the start', () => {
    expect(() => new DayKey(folder.path, noon)).toThrow(/cannot read the day's key/);
    expect(() => new DayKey(`${folder.path}/no/key`, noon)).toThrow(/cannot keep the day's key/);
  });
});
