import { decodeRequest } from '../../collector/support/decoder.ts';
import { varintAt } from './fields.ts';

/** What has to become of a body. `either` where only the collector's own laziness decides. */
export type Judgement = 'accept' | 'refuse' | 'either';

/** Messages of the request by their field numbers; what is not named here is passed over by its length. */
interface Message {
  /** Broken here, no decoder can make anything of the request: its spans cannot be told apart. */
  isOuter?: true;
  fields?: Map<number, Message>;
}

const anyValue: Message = {};
const keyValue: Message = { fields: new Map([[2, anyValue]]) };
const values: Message = { fields: new Map([[1, anyValue]]) };
const keyValues: Message = { fields: new Map([[1, keyValue]]) };
anyValue.fields = new Map([
  [5, values],
  [6, keyValues],
]);
const span: Message = {
  fields: new Map([
    [9, keyValue],
    [11, { fields: new Map([[3, keyValue]]) }],
    [13, { fields: new Map([[4, keyValue]]) }],
    [15, {}],
  ]),
};
const resource: Message = { isOuter: true, fields: new Map([[1, keyValue]]) };
const scopeSpans: Message = {
  isOuter: true,
  fields: new Map([
    [1, { fields: new Map([[3, keyValue]]) }],
    [2, span],
  ]),
};
const resourceSpans: Message = {
  isOuter: true,
  fields: new Map([
    [1, resource],
    [2, scopeSpans],
  ]),
};
const request: Message = { isOuter: true, fields: new Map([[1, resourceSpans]]) };

/**
 * A body is refused when the frame around its spans is broken, and accepted when it is sound to the last
 * attribute and protobufjs reads it too. Broken within a span or a scope, a decoder that skips what nobody
 * asked for may accept it.
 */
export function judgeProtobuf(body: Buffer): Judgement {
  const broken = brokenIn(body, 0, body.length, request, 0);
  if (broken === 'outer') return 'refuse';
  if (broken === 'inner') return 'either';
  try {
    decodeRequest(body);
    return 'accept';
  } catch {
    return 'either';
  }
}

type Broken = 'nowhere' | 'inner' | 'outer';

function brokenIn(
  bytes: Buffer,
  start: number,
  end: number,
  message: Message,
  depth: number,
): Broken {
  const here: Broken = message.isOuter ? 'outer' : 'inner';
  // Beyond it decoders may give up.
  if (depth > 30) return 'inner';
  let found: Broken = 'nowhere';
  let at = start;
  while (at < end) {
    const tag = varintWithin(bytes, at, end);
    if (tag === undefined || tag.value < 8 || tag.value > 0xffff_ffff) return here;
    const wireType = tag.value & 7;
    if (wireType === 2) {
      const length = varintWithin(bytes, tag.end, end);
      if (length === undefined || length.value > end - length.end) return here;
      at = length.end + length.value;
      const child = message.fields?.get(Math.floor(tag.value / 8));
      if (child !== undefined) {
        const inside = brokenIn(bytes, length.end, at, child, depth + 1);
        if (inside === 'outer') return 'outer';
        if (inside === 'inner') found = 'inner';
      }
    } else {
      const next = afterValue(bytes, tag, end, 0);
      if (next === undefined) return here;
      if (next === 'too deep') return 'inner';
      at = next;
    }
  }
  return found;
}

/** Where a value that is no message ends. */
function afterValue(
  bytes: Buffer,
  tag: { value: number; end: number },
  end: number,
  depth: number,
): number | 'too deep' | undefined {
  switch (tag.value & 7) {
    case 0:
      return varintWithin(bytes, tag.end, end)?.end;
    case 1:
      return tag.end + 8 <= end ? tag.end + 8 : undefined;
    case 5:
      return tag.end + 4 <= end ? tag.end + 4 : undefined;
    case 2: {
      const length = varintWithin(bytes, tag.end, end);
      return length && length.value <= end - length.end ? length.end + length.value : undefined;
    }
    case 3:
      return afterGroup(bytes, tag, end, depth);
    default:
      return undefined;
  }
}

function afterGroup(
  bytes: Buffer,
  open: { value: number; end: number },
  end: number,
  depth: number,
): number | 'too deep' | undefined {
  if (depth > 90) return 'too deep';
  let at = open.end;
  for (;;) {
    const tag = varintWithin(bytes, at, end);
    if (tag === undefined || tag.value < 8 || tag.value > 0xffff_ffff) return undefined;
    if (tag.value === open.value + 1) return tag.end;
    const next = afterValue(bytes, tag, end, depth + 1);
    if (typeof next !== 'number') return next;
    at = next;
  }
}

function varintWithin(bytes: Buffer, at: number, end: number) {
  const found = varintAt(bytes, at);
  return found !== undefined && found.end <= end ? found : undefined;
}
