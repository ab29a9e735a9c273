import type { Random } from '../../../core/random.ts';
import { mutateBytes } from './mutate-bytes.ts';

/** Changes one value or member somewhere in a JSON text, or the text itself. */
export function mutateJson(random: Random, text: Buffer, other: Buffer): Buffer {
  if (random.below(4) === 0) return mutateBytes(random, text, other);
  const places = valuePlaces(text);
  if (places.length === 0) return mutateBytes(random, text, other);
  const { start, end } = random.pick(places);
  const value = text.subarray(start, end);
  const changed = random.pick(changes)(random, value, other);
  return Buffer.concat([text.subarray(0, start), Buffer.from(changed), text.subarray(end)]);
}

type Change = (random: Random, value: Buffer, other: Buffer) => string | Buffer;

const literals = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1e3',
  '1E400',
  '0.5',
  '"0.5"',
  '01',
  '1.',
  '.5',
  '+1',
  'NaN',
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  '18446744073709551615',
  '18446744073709551616',
  '"18446744073709551615"',
  '-9223372036854775808',
  '"9223372036854775808"',
  '9'.repeat(60),
  `"${'9'.repeat(60)}"`,
  '""',
  '"x"',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '{"":{}}',
  '{"a":[1,{"b":null}]}',
  '"SPAN_KIND_SERVER"',
  '"SPAN_KIND_X"',
  '"\\ud83d"',
  '"\\ud83d\\ude00"',
  '"\\q"',
  '"\\u12"',
  '"\\u0000"',
  '"\u0007"',
  '"ABCD"',
  '"5B8EFFF798038103D269B633813FC60C"',
  '"-_-_AA"',
  '"+/+/AA=="',
  'undefined',
  '',
];

const changes: readonly Change[] = [
  (random) => random.pick(literals),
  (random) => random.pick(literals),
  (random) => random.pick(literals),
  (_, value) => `"${value.toString('latin1').replace(/["\\]/g, '')}"`,
  (_, value) => value.toString('latin1').replace(/^"(.*)"$/s, '$1'),
  (_, value) => Buffer.concat([Buffer.from('['), value, Buffer.from(']')]),
  (_, value) => Buffer.concat([Buffer.from('{"value":'), value, Buffer.from('}')]),
  (_, value) => Buffer.concat([value, Buffer.from(','), value]),
  (_, value) => Buffer.concat([value, Buffer.from(',"traceId":"ab","kind":2,"later":'), value]),
  (random, value) => {
    const levels = random.pick([1, 10, 100, 310, 330, 1000]);
    const [open, close] = random.below(2) === 0 ? ['[', ']'] : ['{"a":', '}'];
    return Buffer.concat([
      Buffer.from(open!.repeat(levels)),
      value,
      Buffer.from(close!.repeat(levels)),
    ]);
  },
  (random, value) => value.subarray(0, random.below(value.length + 1)),
  (random, value, other) => mutateBytes(random, value, other),
  (random, value) => {
    const space = random.pick([' ', '\n\t\r', '\u00a0', '\u2028', '/**/', '\ufeff', '\0']);
    return Buffer.concat([Buffer.from(space), value, Buffer.from(space)]);
  },
  (random, _, other) => {
    const places = valuePlaces(other);
    if (places.length === 0) return 'null';
    const { start, end } = random.pick(places);
    return other.subarray(start, end);
  },
];

interface Place {
  start: number;
  end: number;
}

/** Where values, and names of members, stand in well-formed JSON. */
function valuePlaces(text: Buffer): Place[] {
  const places: Place[] = [];
  const open: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at]!;
    if (byte === 0x22) {
      const start = at;
      at += 1;
      while (at < text.length && text[at] !== 0x22) at += text[at] === 0x5c ? 2 : 1;
      places.push({ start, end: Math.min(at + 1, text.length) });
    } else if (byte === 0x7b || byte === 0x5b) {
      open.push(at);
    } else if (byte === 0x7d || byte === 0x5d) {
      places.push({ start: open.pop() ?? 0, end: at + 1 });
    } else if (byte > 0x20 && byte !== 0x2c && byte !== 0x3a) {
      const start = at;
      while (at + 1 < text.length && /[\w.+-]/.test(String.fromCharCode(text[at + 1]!))) at += 1;
      places.push({ start, end: at + 1 });
    }
  }
  return places;
}
