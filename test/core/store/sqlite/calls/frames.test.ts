import { expect, it } from 'vitest';
import { encodePart, PartReader } from '../../../../../core/store/sqlite/calls/frames.ts';
import { DamagedError } from '../../../../../core/store/sqlite/sealed.ts';

it('a part gives its frames back, and names one that it does not have', () => {
  const frames = [new Uint8Array(1_000).fill(7), new Uint8Array(0), Uint8Array.of(1, 2, 3)];
  const reader = new PartReader(encodePart(frames), 'block 4');
  expect(reader.frames).toBe(3);
  for (const [index, frame] of frames.entries()) {
    expect([...reader.frame(index)]).toEqual([...frame]);
  }
  expect(() => reader.frame(3)).toThrow(DamagedError);
  expect(() => reader.frame(3)).toThrow('block 4 is damaged: it has no frame 3');
});
