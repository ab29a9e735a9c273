import { ProtobufWriter } from '../../../collector/otlp/protobuf-writer.ts';

/**
 * A body of about so many bytes that is cheap to send, because it compresses well or repeats, and dear to
 * take. `unit` is repeated as it stands; `number` in it may make every repetition another.
 */
export interface Construction {
  name: string;
  encoding: 'protobuf' | 'json';
  build(bytes: number): Buffer;
}

const traceId = Buffer.alloc(16, 7);
const nowNs = () => BigInt(Date.now()) * 1_000_000n;

function protobuf(name: string, build: (bytes: number) => Buffer): Construction {
  return { name, encoding: 'protobuf', build };
}

function json(name: string, before: string, unit: string, after: string): Construction {
  return {
    name,
    encoding: 'json',
    build: (bytes) => {
      const count = Math.max(1, Math.floor(bytes / (unit.length + 1)));
      return Buffer.from(`${before}${`${unit},`.repeat(count - 1)}${unit}${after}`);
    },
  };
}

/** A field of few bytes, made often. */
function shortField(number: number, content: Buffer): Buffer {
  if (content.length > 127) return field(number, content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

/** The unit, again and again. */
function repeated(unit: Buffer, bytes: number): Buffer {
  return Buffer.alloc(Math.max(1, Math.floor(bytes / unit.length)) * unit.length, unit);
}

/** Messages of the nesting around a content, from the outermost field number in. */
function within(numbers: readonly number[], content: Buffer): Buffer {
  let inner = content;
  for (const number of [...numbers].reverse()) {
    const out = new ProtobufWriter();
    out.bytes(number, inner);
    inner = out.finish();
  }
  return inner;
}

function field(number: number, content: Buffer = Buffer.alloc(0)): Buffer {
  return within([number], content);
}

interface SpanParts {
  id?: number;
  parent?: number;
  kind?: number;
  attributes?: [string, string][];
  more?: Buffer;
}

function id8(number: number): Buffer {
  const bytes = Buffer.alloc(8, 1);
  bytes.writeUInt32BE(number);
  return bytes;
}

function span({ id = 1, parent, kind = 2, attributes = [], more }: SpanParts = {}): Buffer {
  const out = new ProtobufWriter();
  out.bytes(1, traceId);
  out.bytes(2, id8(id));
  if (parent !== undefined) out.bytes(4, id8(parent));
  out.varint(6, kind);
  out.fixed64(7, nowNs());
  out.fixed64(8, nowNs());
  for (const [key, value] of attributes) {
    out.message(9, () => {
      out.string(1, key);
      out.message(2, () => out.string(1, value));
    });
  }
  return more === undefined ? out.finish() : Buffer.concat([out.finish(), more]);
}

/** Spans made by number until they fill the bytes, under one scope and resource. */
function spans(bytes: number, make: (number: number) => Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let number = 0, length = 0; length < bytes; number += 1) {
    const one = field(2, make(number));
    parts.push(one);
    length += one.length;
  }
  return within([1, 2], Buffer.concat(parts));
}

const get: [string, string] = ['http.request.method', 'GET'];
const status: [string, string] = ['http.response.status_code', '200'];

/** One span with one attribute that fills the bytes. */
function longAttribute(key: string, unit: string): Construction {
  return protobuf(`${key} of '${unit}'`, (bytes) =>
    spans(1, () =>
      span({ attributes: [get, status, [key, repeated(Buffer.from(unit), bytes).toString()]] }),
    ),
  );
}

/** Spans of 4 KiB in one attribute each. */
function mediumAttribute(key: string, unit: string): Construction {
  const text = repeated(Buffer.from(unit), 4000).toString();
  return protobuf(`${key} of 4 KB '${unit}', each span`, (bytes) =>
    spans(bytes, (id) => span({ id, attributes: [get, status, [key, `${text}${id}`]] })),
  );
}

const emptyField = (number: number) => field(number);

export const constructions: readonly Construction[] = [
  protobuf('empty ResourceSpans', (bytes) => repeated(emptyField(1), bytes)),
  protobuf('ResourceSpans of one name each', (bytes) => {
    const parts: Buffer[] = [];
    for (let number = 0, length = 0; length < bytes; number += 1) {
      const name = Buffer.from(`service-${number}`);
      const attribute = Buffer.concat([
        shortField(1, Buffer.from('service.name')),
        shortField(2, shortField(1, name)),
      ]);
      parts.push(shortField(1, shortField(1, shortField(1, attribute))));
      length += parts.at(-1)!.length;
    }
    return Buffer.concat(parts);
  }),
  protobuf('one ResourceSpans of empty Resources', (bytes) =>
    field(1, repeated(emptyField(1), bytes)),
  ),
  protobuf('one ResourceSpans of unknown fields', (bytes) =>
    field(1, repeated(emptyField(9), bytes)),
  ),
  protobuf('one ScopeSpans of unknown fields', (bytes) =>
    within([1, 2], repeated(emptyField(9), bytes)),
  ),
  protobuf('a span of unknown fields', (bytes) =>
    spans(1, () => span({ attributes: [get], more: repeated(emptyField(14), bytes) })),
  ),
  protobuf('empty ScopeSpans', (bytes) => field(1, repeated(emptyField(2), bytes))),
  protobuf('empty spans', (bytes) => within([1, 2], repeated(emptyField(2), bytes))),
  protobuf('a resource of empty attributes', (bytes) =>
    within([1, 1], repeated(emptyField(1), bytes)),
  ),
  protobuf('spans without attributes', (bytes) => spans(bytes, (id) => span({ id }))),
  protobuf('spans of one call each, same', (bytes) =>
    within(
      [1, 2],
      repeated(field(2, span({ attributes: [get, status, ['http.route', '/a']] })), bytes),
    ),
  ),
  protobuf('spans of another path each', (bytes) =>
    spans(bytes, (id) => span({ id, attributes: [get, ['url.path', `/a/${id}/b${id}`]] })),
  ),
  protobuf('spans nested in one trace', (bytes) =>
    spans(bytes, (id) => span({ id: id + 1, parent: id, attributes: [get, ['url.path', '/a']] })),
  ),
  protobuf('spans of one parent', (bytes) =>
    spans(bytes, (id) => span({ id: id + 2, parent: 1, attributes: [get, ['url.path', '/a']] })),
  ),
  protobuf('INTERNAL and SERVER spans in turn', (bytes) =>
    spans(bytes, (id) =>
      span({ id: id + 1, parent: id, kind: 1 + (id % 2), attributes: [get, ['url.path', '/a']] }),
    ),
  ),
  protobuf('a span of empty attributes', (bytes) => {
    const out = repeated(emptyField(9), bytes);
    return spans(1, () => span({ attributes: [get], more: out }));
  }),
  protobuf('a span of empty events', (bytes) => {
    return spans(1, () => span({ attributes: [get], more: repeated(emptyField(11), bytes) }));
  }),
  protobuf('a span of empty statuses', (bytes) => {
    return spans(1, () => span({ attributes: [get], more: repeated(emptyField(15), bytes) }));
  }),
  protobuf('a span of one wanted attribute, again and again', (bytes) => {
    const attribute = Buffer.concat([
      field(1, Buffer.from('url.path')),
      field(2, field(1, Buffer.from('/a'))),
    ]);
    return spans(1, () => span({ attributes: [get], more: repeated(field(9, attribute), bytes) }));
  }),
  protobuf('a header of many values', (bytes) => {
    const value = field(1, field(1, Buffer.from('10.0.0.1')));
    const attribute = Buffer.concat([
      field(1, Buffer.from('http.request.header.x-forwarded-for')),
      field(2, field(5, repeated(value, bytes))),
    ]);
    return spans(1, () => span({ attributes: [get], more: field(9, attribute) }));
  }),
  protobuf('an array of empty values', (bytes) => {
    const attribute = Buffer.concat([
      field(1, Buffer.from('http.request.header.x-forwarded-for')),
      field(2, field(5, repeated(emptyField(1), bytes))),
    ]);
    return spans(1, () => span({ attributes: [get], more: field(9, attribute) }));
  }),
  protobuf('groups in groups', (bytes) => {
    const group = Buffer.concat([Buffer.alloc(90, 0x13), Buffer.alloc(90, 0x14)]);
    return repeated(group, bytes);
  }),
  longAttribute('http.request.header.x-forwarded-for', '10.0.0.1,'),
  longAttribute('http.request.header.x-forwarded-for', ','),
  longAttribute('http.request.header.forwarded', 'for=10.0.0.1,'),
  longAttribute('http.request.header.forwarded', ';for ='),
  longAttribute('client.address', '10.0.0.1,'),
  longAttribute('client.address', '1'),
  longAttribute('http.route', '/{a}'),
  longAttribute('http.route', '('),
  longAttribute('url.path', '/a'),
  longAttribute('url.path', '%20'),
  longAttribute('url.full', 'http://a/'),
  longAttribute('user_agent.original', 'Mozilla/5.0 ('),
  longAttribute('enduser.id', 'a'),
  longAttribute('http.response.status_code', '1'),
  longAttribute('rpc.method', 'a/'),
  mediumAttribute('http.request.header.x-forwarded-for', '10.0.0.1,'),
  mediumAttribute('http.route', '/{a}'),
  mediumAttribute('http.route', '/(a|'),
  mediumAttribute('url.path', '/a'),
  mediumAttribute('url.path', '/1'),
  mediumAttribute('user_agent.original', 'a/1 ('),
  protobuf('a long trace state', (bytes) =>
    spans(1, () =>
      span({ attributes: [get], more: field(3, repeated(Buffer.from('ot=th:8,'), bytes)) }),
    ),
  ),
  json('resourceSpans of {}', '{"resourceSpans":[', '{}', ']}'),
  json('resourceSpans of null', '{"resourceSpans":[', 'null', ']}'),
  json('scopeSpans of {}', '{"resourceSpans":[{"scopeSpans":[', '{}', ']}]}'),
  json('spans of {}', '{"resourceSpans":[{"scopeSpans":[{"spans":[', '{}', ']}]}]}'),
  json('attributes of {}', '{"resourceSpans":[{"resource":{"attributes":[', '{}', ']}}]}'),
  json('an unknown list of lists', '{"x":[', '[]', ']}'),
  json('unknown members', '{"x":1,', '"":0', '}'),
  json('an unknown list of numbers', '{"x":[', '0', ']}'),
  json('escapes', '{"x":"', '\\u0000', '"}'),
  json('repeated resourceSpans', '{', '"resourceSpans":[{}]', '}'),
];
