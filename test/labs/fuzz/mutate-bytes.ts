import type { Random } from '../../../core/random.ts';

/** Changes that know nothing of what the bytes mean. The original is left as it is. */
export function mutateBytes(random: Random, original: Buffer, other: Buffer): Buffer {
  let bytes = original;
  for (let more = random.below(3); more >= 0; more -= 1) {
    bytes = random.pick(changes)(random, bytes, other);
  }
  return bytes;
}

type Change = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

function at(random: Random, bytes: Buffer): number {
  return random.below(bytes.length + 1);
}

/** Bytes that mean something at an edge: zeros, the largest of each width, endless varints. */
const edges = [
  [0],
  [0xff],
  [0x7f],
  [0x80],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0x0b, 0x0c],
  [0xc3, 0x28],
  [0xed, 0xa0, 0x80],
].map((list) => Buffer.from(list));

const changes: readonly Change[] = [
  function flipBit(random, bytes) {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8);
    return changed;
  },
  function setByte(random, bytes) {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
    return changed;
  },
  function stepByte(random, bytes) {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[random.below(changed.length)]! += random.pick([-2, -1, 1, 2]);
    return changed;
  },
  function cutEnd(random, bytes) {
    return bytes.subarray(0, at(random, bytes));
  },
  function cutOut(random, bytes) {
    const from = at(random, bytes);
    const length = random.below(random.below(8) === 0 ? bytes.length + 1 : 9);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  },
  function putIn(random, bytes) {
    const from = at(random, bytes);
    const put =
      random.below(2) === 0 ? random.pick(edges) : Buffer.from(random.bytes(random.below(20)));
    return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from)]);
  },
  function overwrite(random, bytes) {
    const from = at(random, bytes);
    const edge = random.pick(edges);
    const rest = bytes.subarray(from + edge.length);
    return Buffer.concat([bytes.subarray(0, from), edge, rest]);
  },
  function repeat(random, bytes) {
    const from = at(random, bytes);
    const to = Math.min(bytes.length, from + 1 + random.below(40));
    const piece = bytes.subarray(from, to);
    const times = random.below(10) === 0 ? 50 : 1;
    return Buffer.concat([
      bytes.subarray(0, to),
      ...Array.from({ length: times }, () => piece),
      bytes.subarray(to),
    ]);
  },
  function splice(random, bytes, other) {
    return Buffer.concat([bytes.subarray(0, at(random, bytes)), other.subarray(at(random, other))]);
  },
  function append(random, bytes, other) {
    return Buffer.concat([bytes, other.subarray(0, at(random, other))]);
  },
];
