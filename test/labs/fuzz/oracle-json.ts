import type { Judgement } from './oracle-protobuf.ts';

/**
 * What JSON.parse and the types of OTLP's fields say of a body. Where forms of numbers are a matter of
 * leniency, or a member stands twice, it does not decide.
 */
export function judgeJson(body: Buffer): Judgement {
  const text = body.toString('utf8').replace(/^\ufeff/, '');
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return isJsonButForEscapes(text) ? 'either' : 'refuse';
  }
  const seen = { members: 0 };
  const judged = judgeMessage(tree, request, 0, seen);
  if (judged !== 'accept') return judged;
  // JSON.parse keeps the last of two equal names, a reader of the stream meets both.
  return seen.members === colonsOutsideStrings(text) ? 'accept' : 'either';
}

/** A reader that skips a string need not look at its escapes. */
function isJsonButForEscapes(text: string): boolean {
  try {
    JSON.parse(text.replace(/\\[\s\S]/g, 'x'));
    return true;
  } catch {
    return false;
  }
}

function colonsOutsideStrings(text: string): number {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"/g, '').split(':').length - 1;
}

type Judge = (value: unknown, depth: number, seen: Seen) => Judgement;
type Fields = Map<string, Judge>;
interface Seen {
  members: number;
}

function judgeMessage(value: unknown, fields: Fields, depth: number, seen: Seen): Judgement {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'refuse';
  if (depth > 90) return 'either';
  let judged: Judgement = 'accept';
  for (const [name, member] of Object.entries(value)) {
    seen.members += 1;
    const judge = fields.get(name) ?? passOver;
    if (member === null) continue;
    const found = judge(member, depth + 1, seen);
    if (found === 'refuse') return 'refuse';
    if (found === 'either') judged = 'either';
  }
  return judged;
}

/** An unknown field may hold anything, down to the bound on depth. */
const passOver: Judge = (value, depth, seen) => {
  if (typeof value !== 'object' || value === null) return 'accept';
  if (depth > 90) return 'either';
  let judged: Judgement = 'accept';
  for (const item of Object.values(value)) {
    if (!Array.isArray(value)) seen.members += 1;
    if (passOver(item, depth + 1, seen) === 'either') judged = 'either';
  }
  return judged;
};

function message(fields: () => Fields): Judge {
  return (value, depth, seen) => judgeMessage(value, fields(), depth, seen);
}

function list(item: Judge): Judge {
  return (value, depth, seen) => {
    if (!Array.isArray(value)) return 'refuse';
    let judged: Judgement = 'accept';
    for (const each of value) {
      if (each === null) continue;
      const found = item(each, depth + 1, seen);
      if (found === 'refuse') return 'refuse';
      if (found === 'either') judged = 'either';
    }
    return judged;
  };
}

const string: Judge = (value) => (typeof value === 'string' ? 'accept' : 'refuse');

/** An id that is no hex rejects its span, not the request. */
const hex: Judge = (value) => (typeof value === 'string' ? 'accept' : 'refuse');

const base64: Judge = (value) => {
  if (typeof value !== 'string') return 'refuse';
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) ? 'accept' : 'either';
};

const boolean: Judge = (value) => {
  if (typeof value === 'boolean') return 'accept';
  return typeof value === 'object' ? 'refuse' : 'either';
};

const double: Judge = (value) => {
  if (typeof value === 'object' || typeof value === 'boolean') return 'refuse';
  if (typeof value === 'number') return Number.isFinite(value) ? 'accept' : 'either';
  return /^(-?\d{1,15}(\.\d{1,15})?|NaN|-?Infinity)$/.test(String(value)) ? 'accept' : 'either';
};

function integer(least: bigint, most: bigint): Judge {
  return (value) => {
    if (typeof value === 'object' || typeof value === 'boolean') return 'refuse';
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'either';
    if (!/^-?\d{1,20}$/.test(String(value))) return typeof value === 'string' ? 'either' : 'refuse';
    const exact = BigInt(String(value));
    return exact >= least && exact <= most ? 'accept' : 'refuse';
  };
}

function enumeration(names: readonly string[]): Judge {
  const number = integer(-(2n ** 31n), 2n ** 31n - 1n);
  return (value, depth, seen) => {
    return names.includes(String(value)) ? 'accept' : number(value, depth, seen);
  };
}

/** Both spellings of every name. */
function fieldsOf(table: Record<string, Judge>): Fields {
  const fields: Fields = new Map();
  for (const [name, judge] of Object.entries(table)) {
    fields.set(name, judge);
    fields.set(
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      judge,
    );
  }
  return fields;
}

const int64 = integer(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = integer(0n, 2n ** 64n - 1n);
const uint32 = integer(0n, 2n ** 32n - 1n);

const anyValue: Fields = fieldsOf({
  stringValue: string,
  boolValue: boolean,
  intValue: int64,
  doubleValue: double,
  arrayValue: message(() => arrayValue),
  kvlistValue: message(() => kvlistValue),
  bytesValue: base64,
});
const arrayValue = fieldsOf({ values: list(message(() => anyValue)) });
const keyValue = fieldsOf({ key: string, value: message(() => anyValue) });
const attributes = list(message(() => keyValue));
const kvlistValue = fieldsOf({ values: attributes });
const event = fieldsOf({ timeUnixNano: uint64, name: string, attributes });
const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const codes = ['UNSET', 'OK', 'ERROR'];
const status = fieldsOf({
  message: string,
  code: enumeration(codes.map((name) => `STATUS_CODE_${name}`)),
});
const span = fieldsOf({
  traceId: hex,
  spanId: hex,
  traceState: string,
  parentSpanId: hex,
  name: string,
  kind: enumeration(kinds.map((name) => `SPAN_KIND_${name}`)),
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  attributes,
  events: list(message(() => event)),
  status: message(() => status),
  flags: uint32,
});
const scope = fieldsOf({ name: string, version: string });
const scopeSpans = fieldsOf({ scope: message(() => scope), spans: list(message(() => span)) });
const resource = fieldsOf({ attributes });
const resourceSpans = fieldsOf({
  resource: message(() => resource),
  scopeSpans: list(message(() => scopeSpans)),
});
const request = fieldsOf({ resourceSpans: list(message(() => resourceSpans)) });
