import type { Random } from '../../../core/random.ts';
import { bytesField, groupField, varint, varintField } from '../../collector/support/wire.ts';
import { type Field, fieldsOf } from './fields.ts';
import { mutateBytes } from './mutate-bytes.ts';

/**
 * Changes one field somewhere in the tree of messages and puts right the lengths around it, so that the
 * change is met where it stands and not at the first length that is wrong.
 */
export function mutateProtobuf(random: Random, message: Buffer, other: Buffer, depth = 0): Buffer {
  const fields = fieldsOf(message);
  if (fields.length === 0) return mutateBytes(random, message, other);
  const at = random.below(fields.length);
  const field = fields[at]!;
  const goesDeeper = field.content.length > 1 && depth < 7 && random.below(5) > 0;
  const changed = goesDeeper
    ? [bytesField(field.number, mutateProtobuf(random, field.content, other, depth + 1))]
    : random.pick(changes)(random, field, other, fields);
  const pieces = fields.map(({ bytes }) => bytes);
  pieces.splice(at, 1, ...changed);
  return Buffer.concat(pieces);
}

/** What stands in the place of a field afterwards. */
type Change = (random: Random, field: Field, other: Buffer, fields: readonly Field[]) => Buffer[];

const edgeNumbers = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

const changes: readonly Change[] = [
  function drop() {
    return [];
  },
  function twice(_, { bytes }) {
    return [bytes, bytes];
  },
  function manyTimes(random, { bytes }) {
    return Array.from({ length: Math.min(20 + random.below(100), 1 + 8000 / bytes.length) }, () => {
      return bytes;
    });
  },
  function swap(random, { bytes }, _, fields) {
    return [random.pick(fields).bytes, bytes];
  },
  function renumber(random, { wireType, content, number }) {
    const next = random.pick([number + 1, number - 1, 1, 2, 6, 15, 16, 1000, 2 ** 29 - 1]);
    return wireType === 2
      ? [bytesField(Math.max(1, next), content)]
      : [varintField(Math.max(1, next), random.pick(edgeNumbers))];
  },
  function otherType(random, { number, content }) {
    switch (random.below(4)) {
      case 0:
        return [varintField(number, random.pick(edgeNumbers), random.below(4))];
      case 1:
        return [Buffer.concat([varint(BigInt(number * 8 + 1)), Buffer.alloc(8, 0xff)])];
      case 2:
        return [Buffer.concat([varint(BigInt(number * 8 + 5)), Buffer.alloc(4, 0x7f)])];
      default:
        return [groupField(number, [varintField(1, 1), bytesField(2, content)])];
    }
  },
  function wrongLength(random, { number, content }) {
    const by = random.pick([-1, 1, -2, 2, 10, 127, 128, 2 ** 31, 2 ** 32]);
    const length = varint(BigInt(Math.max(0, content.length + by)), random.below(3));
    return [Buffer.concat([varint(BigInt(number * 8 + 2)), length, content])];
  },
  function longVarints(_, { number, content }) {
    return [bytesField(number, content, 4)];
  },
  function empty(_, { number }) {
    return [bytesField(number, '')];
  },
  function cut(random, { number, content }) {
    return [bytesField(number, content.subarray(0, random.below(content.length + 1)))];
  },
  function noise(random, { number }) {
    return [bytesField(number, random.bytes(random.below(60)))];
  },
  function fromAnother(random, { number }, other) {
    const found = fieldsOf(other);
    return found.length === 0 ? [] : [bytesField(number, random.pick(found).content)];
  },
  function deepen(random, { number, bytes }) {
    let nested = bytes;
    const levels = random.pick([1, 5, 40, 200]);
    for (let level = 0; level < levels; level += 1) {
      nested = random.below(20) === 0 ? groupField(number, [nested]) : bytesField(number, nested);
    }
    return [nested];
  },
  function openGroup(random, { bytes, number }) {
    const open = Buffer.alloc(random.pick([1, 3, 99, 101, 500]), (number * 8 + 3) & 0x7f);
    return [bytes, open];
  },
  function unknown(random, { bytes }) {
    const number = random.pick([100, 1000, 19_000, 2 ** 29 - 1]);
    return [bytesField(number, random.bytes(random.below(30))), bytes, varintField(number, -1n)];
  },
  function badTag(random, { bytes }) {
    return [random.pick(badTags), bytes];
  },
];

/** Field 0, wire types 6 and 7, an end without a group, a tag beyond 32 bits. */
const badTags = ['00', '02', '0e', '0f', '0c', 'ffffffff7f'].map((hex) => Buffer.from(hex, 'hex'));
