import type { Random } from '../../../core/random.ts';

/**
 * Protobuf bytes field by field, in any order and with anything in between: what encode.ts never writes
 * and a decoder has to take all the same.
 */
export type Field = Buffer;

export function varint(value: bigint, padding = 0): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  } while (rest > 0n);
  // A varint may be longer than it must: zeros with the continuation bit.
  for (let i = 0; i < padding && bytes.length < 10; i += 1) bytes.push(128);
  bytes[bytes.length - 1]! &= 127;
  return Buffer.from(bytes);
}

function tag(field: number, wireType: number): Buffer {
  return varint(BigInt(field * 8 + wireType));
}

export function varintField(field: number, value: bigint | number, padding = 0): Field {
  return Buffer.concat([tag(field, 0), varint(BigInt(value), padding)]);
}

export function bytesField(field: number, content: Uint8Array | string, padding = 0): Field {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([tag(field, 2), varint(BigInt(bytes.length), padding), bytes]);
}

export function fixed64Field(field: number, value: bigint): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([tag(field, 1), bytes]);
}

export function doubleField(field: number, value: number): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), bytes]);
}

export function fixed32Field(field: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return Buffer.concat([tag(field, 5), bytes]);
}

export function groupField(field: number, fields: readonly Field[]): Field {
  return Buffer.concat([tag(field, 3), ...fields, tag(field, 4)]);
}

/** How a message's fields are put together. */
export type Arrange = (fields: readonly Field[]) => Buffer;

export const inOrder: Arrange = (fields) => Buffer.concat(fields);

/** Any order, with unknown fields of every wire type among them. */
export function shuffled(random: Random): Arrange {
  return (fields) => {
    const all = [...fields];
    while (random.below(3) === 0) all.push(unknownField(random, 0));
    for (let i = all.length - 1; i > 0; i -= 1) {
      const j = random.below(i + 1);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return Buffer.concat(all);
  };
}

function unknownField(random: Random, depth: number): Field {
  const field = random.pick([100, 1000, 20_000, 536_870_911]);
  switch (random.below(depth < 3 ? 6 : 5)) {
    case 0:
      return varintField(field, BigInt(random.u32()) << BigInt(random.below(32)));
    case 1:
      return fixed64Field(field, BigInt(random.u32()));
    case 2:
      return fixed32Field(field, random.u32());
    case 3:
      return bytesField(field, Buffer.alloc(random.below(200), random.below(256)));
    case 4:
      return varintField(field, 0, 3);
    default:
      return groupField(
        field,
        Array.from({ length: random.below(4) }, () => unknownField(random, depth + 1)),
      );
  }
}
