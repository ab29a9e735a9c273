import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { ByteBudget, type Sender } from '../../../core/server/byte-budget.ts';

const mib = 2 ** 20;

function open() {
  let nowMs = 0;
  const budget = new ByteBudget(64 * mib, () => nowMs);
  return {
    budget,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

let connections = 0;

/** A sender with a connection of its own. */
function sender(address = '192.0.2.1', project = 'default'): Sender {
  connections += 1;
  return { connection: { connections }, address, project };
}

const refusal = (message: string) =>
  expect.objectContaining({ code: 'overloaded', message: expect.stringContaining(message) });

/** A sender that shares its address and its project with no other. */
const another = (n: number): Sender => sender(`address ${n}`, `project ${n}`);

test('a length that is only announced takes nothing from others', () => {
  const { budget } = open();
  for (let n = 0; n < 1000; n += 1) budget.admit(sender(), 64 * mib);
  expect(budget.bytes).toBe(0);
  const healthy = budget.admit(sender(), 64 * mib);
  healthy.grow(30 * mib);
  expect(budget.bytes).toBe(30 * mib);
});

test('large bodies get 48 of 64 MiB together, and one of them is counted apart', () => {
  const { budget } = open();
  for (let n = 0; n < 24; n += 1) budget.admit(sender()).grow(2 * mib);
  const second = budget.admit(sender());
  const first = budget.admit(sender(), 64 * mib);
  first.grow(64 * mib);
  expect(() => second.grow(2 * mib)).toThrow(refusal('more pass a bound: 67108864 for all'));
  expect(() => budget.admit(sender(), 2 * mib)).toThrow(
    refusal('117440512 bytes of bodies are in flight'),
  );
  first.release();
  second.grow(2 * mib);
});

test('a large body that was overdrawn once grows again, as does the next one after it', () => {
  const { budget } = open();
  for (let n = 0; n < 24; n += 1) budget.admit(sender()).grow(2 * mib);
  for (let round = 0; round < 3; round += 1) {
    const overdrawn = budget.admit(sender());
    for (let part = 1; part <= 32; part += 1) {
      overdrawn.grow(2 * mib);
      expect(budget.bytes).toBe((48 + 2 * part) * mib);
    }
    const other = budget.admit(sender());
    expect(() => other.grow(2 * mib)).toThrow(refusal('more pass a bound'));
    // What was refused is not counted, and small bodies have their room meanwhile.
    expect(budget.bytes).toBe(112 * mib);
    const small = budget.admit(sender());
    small.grow(256 * 1024);
    small.release();
    overdrawn.release();
    other.release();
    expect(budget.bytes).toBe(48 * mib);
  }
});

test('a body that is overdrawn on its way is counted once, and gives what it held to others', () => {
  const { budget } = open();
  for (let n = 0; n < 23; n += 1) budget.admit(sender()).grow(2 * mib);
  const overdrawn = budget.admit(sender());
  overdrawn.grow(2 * mib);
  expect(budget.bytes).toBe(48 * mib);
  overdrawn.grow(2 * mib);
  expect(budget.bytes).toBe(50 * mib);
  budget.admit(sender()).grow(2 * mib);
  expect(budget.bytes).toBe(52 * mib);
  overdrawn.release();
  expect(budget.bytes).toBe(48 * mib);
});

test('what a connection holds stays its own when another of its bodies ends', () => {
  const { budget } = open();
  const one = sender();
  const ofOne = () => ({ ...sender('192.0.2.9', 'other'), connection: one.connection });
  for (let n = 0; n < 128; n += 1) budget.admit(ofOne()).grow(256 * 1024);
  for (let round = 0; round < 2; round += 1) {
    const share = budget.admit(ofOne());
    expect(() => share.grow(1)).toThrow(refusal('more pass a bound'));
    share.release();
  }
});

test('a body of the largest size takes nothing from others', () => {
  const { budget } = open();
  budget.admit(sender(), 64 * mib).grow(64 * mib);
  for (let n = 0; n < 24; n += 1) budget.admit(sender()).grow(2 * mib);
});

test('a small body has room beside all large ones, from the same address and project too', () => {
  const { budget } = open();
  for (let n = 0; n < 24; n += 1) budget.admit(sender()).grow(2 * mib);
  for (let n = 0; n < 32; n += 1) budget.admit(sender(), 143_000).grow(limits.smallBodyBytes);
  expect(() => budget.admit(sender()).grow(limits.smallBodyBytes)).toThrow(
    refusal('are in flight'),
  );
});

test.each([
  ['connection', 32, (n: number, one: Sender) => ({ ...another(n), connection: one.connection })],
  ['address', 56, (n: number) => ({ ...another(n), address: '192.0.2.1' })],
  ['project', 56, (n: number) => ({ ...another(n), project: 'default' })],
] as const)('small bodies of one %s get %i MiB at the most', (_, mibMost, next) => {
  const { budget } = open();
  const one = sender();
  for (let n = 0; n < mibMost * 4; n += 1) budget.admit(next(n, one)).grow(256 * 1024);
  expect(() => budget.admit(next(0, one)).grow(1)).toThrow(refusal('are in flight'));
  budget.admit(sender('192.0.2.33', 'third')).grow(256 * 1024);
});

test('bodies that come too slowly give way when there is no room, and not before', () => {
  const { budget, pass } = open();
  const lost: string[] = [];
  const shares = Array.from({ length: 25 }, (_, n) => {
    const share = budget.admit(sender());
    share.whenLost((error) => lost.push(`${n}: ${error.code} ${error.message}`));
    share.grow(2 * mib);
    return share;
  });
  pass(60_000);
  expect(() => budget.admit(sender(), 2 * mib)).toThrow(refusal('are in flight'));
  pass(limits.bodyProgressMs);
  // All but two stand still: the one that is counted apart goes on, another is whole and being decoded.
  shares[24]!.grow(64 * 1024);
  shares[0]!.whole();
  budget.admit(sender(), 2 * mib).grow(2 * mib);
  expect(lost).toHaveLength(23);
  expect(lost[0]).toBe(
    '1: overloaded the body came at 0 bytes/s while bodies in flight had reached their bound; it must then come at 104858 bytes/s',
  );
  expect(budget.bytes).toBe(6 * mib + 64 * 1024);
});

test('a body of which much came must go on faster than one of which little came', () => {
  const { budget, pass } = open();
  const lost: number[] = [];
  const shares = [60, 20, 20, 1, 1, 1].map((come, n) => {
    const share = budget.admit(sender());
    share.whenLost(() => lost.push(n));
    share.grow(come * mib);
    return share;
  });
  expect(() => budget.admit(sender(), 8 * mib)).toThrow(refusal('are in flight'));
  pass(1000);
  // Of the third nothing more came; the second goes on at a hundredth of what it holds, the others at a tenth.
  for (const share of shares.slice(3)) share.grow(0.1 * mib);
  shares[0]!.grow(4 * mib);
  shares[1]!.grow(0.2 * mib);
  budget.admit(sender(), 8 * mib);
  expect(lost).toEqual([1, 2]);
});

test('all that was taken is given back once, whatever its size became', () => {
  const { budget } = open();
  const shares = Array.from({ length: 30 }, (_, n) => {
    const share = budget.admit(sender(), 100);
    for (let part = 0; part < n; part += 1) share.grow(60_000);
    return share;
  });
  expect(budget.bytes).toBe(60_000 * 435);
  for (const share of shares) {
    share.release();
    share.release();
  }
  expect(budget.bytes).toBe(0);
  // No owner remembers anything: one connection may hold its half again.
  const share = budget.admit(sender());
  share.grow(32 * mib);
});

test('all bodies together get 64 MiB, to the byte', () => {
  const { budget } = open();
  for (let n = 0; n < 24; n += 1) budget.admit(another(n)).grow(2 * mib);
  for (let n = 24; n < 88; n += 1) budget.admit(another(n)).grow(256 * 1024);
  expect(budget.bytes).toBe(64 * mib);
  expect(() => budget.admit(another(88)).grow(1)).toThrow(
    refusal('67108864 bytes of bodies are in flight'),
  );
  expect(budget.bytes).toBe(64 * mib);
});

test('a large body that comes in pieces is counted once among the large ones', () => {
  const { budget } = open();
  for (let n = 0; n < 24; n += 1) {
    const share = budget.admit(sender());
    for (let piece = 0; piece < 4; piece += 1) share.grow(512 * 1024);
  }
  // The one that may be counted apart is still free.
  budget.admit(sender()).grow(2 * mib);
  expect(() => budget.admit(sender()).grow(2 * mib)).toThrow(refusal('more pass a bound'));
});

/** 24 large bodies, one counted apart, and the numbers of those that were lost. */
function full() {
  const opened = open();
  const lost: number[] = [];
  const shares = Array.from({ length: 25 }, (_, n) => {
    const share = opened.budget.admit(sender());
    share.whenLost(() => lost.push(n));
    share.grow(2 * mib);
    return share;
  });
  return { ...opened, shares, lost };
}

test('a body on its way gets the room of bodies that stand still, and they count no longer', () => {
  const { budget, pass, shares, lost } = full();
  const growing = budget.admit(sender());
  expect(() => growing.grow(2 * mib)).toThrow(refusal('more pass a bound'));
  pass(500);
  growing.grow(2 * mib);
  expect(lost).toHaveLength(25);
  expect(budget.bytes).toBe(2 * mib);
  shares[0]!.grow(1000);
  shares[24]!.release();
  expect(budget.bytes).toBe(2 * mib);
  // It is counted among the others: another may be counted apart.
  for (let n = 0; n < 23; n += 1) budget.admit(sender()).grow(2 * mib);
  budget.admit(sender()).grow(2 * mib);
  expect(budget.bytes).toBe(50 * mib);
});

test('a look for slow bodies within half a second of the last one is none', () => {
  const { budget, pass, lost } = full();
  for (const ms of [0, 300, 100]) {
    pass(ms);
    expect(() => budget.admit(sender(), 2 * mib)).toThrow(refusal('are in flight'));
  }
  expect(lost).toEqual([]);
  pass(100);
  budget.admit(sender(), 2 * mib);
  expect(lost).toHaveLength(25);
});

test('a body that comes at 64 KiB a second is fast enough', () => {
  const { budget, pass, lost } = full();
  const share = budget.admit(sender());
  share.whenLost(() => lost.push(99));
  share.grow(128 * 1024);
  expect(() => budget.admit(sender(), 2 * mib)).toThrow(refusal('are in flight'));
  pass(500);
  share.grow(32 * 1024);
  budget.admit(sender(), 2 * mib);
  expect(lost).toHaveLength(25);
  expect(lost).not.toContain(99);
});

test('a body of which nothing came is lost too', () => {
  const { budget, pass } = full();
  let isLost = false;
  budget.admit(sender()).whenLost(() => {
    isLost = true;
  });
  expect(() => budget.admit(sender(), 2 * mib)).toThrow(refusal('are in flight'));
  pass(500);
  budget.admit(sender(), 2 * mib);
  expect(isLost).toBe(true);
});

test('a share that is released twice frees its connection from no bound', () => {
  const { budget } = open();
  const { connection } = sender();
  const of = (n: number) => budget.admit({ ...another(n), connection });
  const twice = of(0);
  of(1).grow(32 * mib);
  twice.release();
  twice.release();
  expect(() => of(2).grow(1)).toThrow(refusal('more pass a bound'));
});

test('a connection is forgotten with its last body', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { budget } = open();
  const ended = (() => {
    const one = sender();
    const shares = [budget.admit(one), budget.admit(one)];
    for (const share of shares) share.grow(1000);
    for (const share of shares) share.release();
    return new WeakRef(one.connection);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(ended.deref()).toBeUndefined();
});

test('slow bodies are judged by the monotonic clock of the process', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const budget = new ByteBudget(2 * mib);
    let isLost = false;
    const slow = budget.admit(sender());
    slow.whenLost(() => {
      isLost = true;
    });
    slow.grow(256 * 1024);
    const fill = () => Array.from({ length: 7 }, () => budget.admit(sender()).grow(256 * 1024));
    expect(fill).toThrow(refusal('more pass a bound'));
    vi.advanceTimersByTime(500);
    budget.admit(sender(), 256 * 1024);
    expect(isLost).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
