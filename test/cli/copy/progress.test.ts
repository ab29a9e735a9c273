import { expect, it } from 'vitest';
import { Progress } from '../../../cli/copy/progress.ts';

function shownOn(isTTY: boolean) {
  const out: string[] = [];
  const clock = { ms: 0 };
  const place = { isTTY, write: (text: string) => out.push(text) };
  return { progress: new Progress(place, () => clock.ms), out, clock };
}

it('elsewhere than on a terminal each tenth is one line, with the time that the rest takes', () => {
  const { progress, out, clock } = shownOn(false);
  for (let rows = 0; rows <= 1_000; rows += 25) {
    clock.ms = rows * 10;
    progress.show(rows, 1_000);
  }
  progress.end();
  expect(out).toHaveLength(10);
  expect(out[0]).toBe('copied 10 %, 100 of 1000 rows, 9 s left\n');
  expect(out[4]).toBe('copied 50 %, 500 of 1000 rows, 5 s left\n');
  expect(out[9]).toBe('copied 100 %, 1000 of 1000 rows\n');
});

it('on a terminal a bar is drawn in place, ten times a second at most, and its line ends', () => {
  const { progress, out, clock } = shownOn(true);
  progress.show(0, 1_000);
  clock.ms = 50;
  progress.show(100, 1_000);
  clock.ms = 2_000;
  progress.show(500, 1_000);
  progress.show(1_000, 1_000);
  progress.end();
  expect(out).toEqual([
    `\r${'░'.repeat(30)} 0 %, 0 of 1000 rows\u001b[K`,
    `\r${'█'.repeat(15)}${'░'.repeat(15)} 50 %, 500 of 1000 rows, 2 s left\u001b[K`,
    `\r${'█'.repeat(30)} 100 %, 1000 of 1000 rows\u001b[K`,
    '\n',
  ]);
});

it('a copy that goes on counts only what it did itself for the time that is left', () => {
  const { progress, out, clock } = shownOn(false);
  progress.show(500, 1_000);
  clock.ms = 10_000;
  progress.show(600, 1_000);
  expect(out).toEqual([
    'copied 50 %, 500 of 1000 rows\n',
    'copied 60 %, 600 of 1000 rows, 40 s left\n',
  ]);
});

it('an empty store is copied at once', () => {
  const { progress, out } = shownOn(false);
  progress.show(0, 0);
  expect(out).toEqual(['copied 100 %, 0 of 0 rows\n']);
});
