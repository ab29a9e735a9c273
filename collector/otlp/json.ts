import { brace, JsonReader, quote, square } from './json-reader.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/**
 * OTLP/JSON in, protobuf out: one decoder and one extraction serve both encodings. OTLP/JSON is proto3's
 * JSON mapping except that ids are hex and enums are numbers. Lenient where the Collector is (enum names,
 * snake_case, numbers as strings), strict in that a value of the wrong type is an error (docs/conformance.md J1-J8).
 * Fields that no one reads (links, dropped counts, schema URLs) are passed over like unknown ones.
 * @returns an ExportTraceServiceRequest; digits of 64-bit integers are kept, as string or as number
 * @throws AppError `invalid` that names the field and the value
 */
export function tracesFromJson(body: Buffer): Buffer {
  const json = new JsonReader(body);
  const out = new ProtobufWriter();
  writeFields(json, out, request, 'the body');
  json.finish();
  return out.finish();
}

/** Writes the value at hand, which is not null, as field `number`. */
type Write = (json: JsonReader, out: ProtobufWriter, number: number, name: string) => void;

/** A message's fields by both of their JSON names. */
type Fields = Map<string, { number: number; name: string; write: Write }>;

function writeFields(json: JsonReader, out: ProtobufWriter, fields: Fields, name: string): void {
  json.enter(brace, name);
  for (let first = true; json.next(brace, first); first = false) {
    const field = fields.get(json.key());
    if (field === undefined) json.skip();
    else if (!json.takeNull()) field.write(json, out, field.number, field.name);
  }
}

function fields(table: Record<string, [number, Write]>): Fields {
  const found: Fields = new Map();
  for (const [name, [number, write]] of Object.entries(table)) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    for (const spelling of [name, snake]) found.set(spelling, { number, name, write });
  }
  return found;
}

function message(fields: Fields): Write {
  return (json, out, number, name) => {
    const start = out.begin(number);
    writeFields(json, out, fields, name);
    out.end(start);
  };
}

/** A null among the items is an empty item. */
function list(item: Write): Write {
  return (json, out, number, name) => {
    json.enter(square, name);
    for (let first = true; json.next(square, first); first = false) {
      if (json.takeNull()) out.end(out.begin(number));
      else item(json, out, number, name);
    }
  };
}

const string: Write = (json, out, number, name) => {
  expectString(json, name, 'a string');
  if (json.escaped) out.string(number, json.text());
  else out.copy(number, json.bytes, json.start, json.end);
};

/**
 * Hex in either case; empty is absent. Extraction rejects a span whose id has a wrong length, and only that
 * span (docs/conformance.md P4): an id in another spelling, such as base64, becomes one of a wrong length.
 */
const id: Write = (json, out, number, name) => {
  expectString(json, name, 'hexadecimal');
  const hex = json.text();
  if (hex === '') return;
  const isHex = hex.length % 2 === 0 && /^[0-9a-f]+$/i.test(hex);
  out.bytes(number, isHex ? Buffer.from(hex, 'hex') : notHexadecimal);
};

/** One byte: no id has this length. */
const notHexadecimal = Buffer.alloc(1);

/** Standard or URL-safe alphabet, padded or not. */
const base64: Write = (json, out, number, name) => {
  const { at } = json;
  expectString(json, name, 'base64');
  const encoded = json.text();
  if (!/^[\w+/-]*={0,2}$/.test(encoded)) throw json.wrong(name, 'base64', at);
  out.bytes(number, Buffer.from(encoded, 'base64'));
};

const bool: Write = (json, out, number, name) => {
  const text = json.peek() === quote ? '' : scalar(json, name, 'true or false');
  if (text !== 'true' && text !== 'false') throw json.wrong(name, 'true or false');
  out.varint(number, text === 'true' ? 1 : 0);
};

const double: Write = (json, out, number, name) => {
  const { at } = json;
  const text = scalar(json, name, 'a number');
  if (!/^(NaN|-?Infinity)$/.test(text) && (text.length > digitsMost || !decimal.test(text))) {
    throw json.wrong(name, 'a number', at);
  }
  out.double(number, Number(text));
};

function integer(
  range: Range,
  write: (out: ProtobufWriter, number: number, value: bigint) => void,
): Write {
  return (json, out, number, name) => write(out, number, integerWithin(json, range, name));
}

interface Range {
  least: bigint;
  most: bigint;
  name: string;
}

const uint32: Range = { least: 0n, most: 2n ** 32n - 1n, name: 'a whole number below 2^32' };
const int32: Range = { least: -(2n ** 31n), most: 2n ** 31n - 1n, name: 'an enum of 32 bits' };
const uint64: Range = { least: 0n, most: 2n ** 64n - 1n, name: 'a whole number below 2^64' };
const int64: Range = { least: -(2n ** 63n), most: 2n ** 63n - 1n, name: 'an integer of 64 bits' };

const fixed32 = integer(uint32, (out, number, value) => out.fixed32(number, Number(value)));
const fixed64 = integer(uint64, (out, number, value) => out.fixed64(number, value));
const varint64 = integer(int64, (out, number, value) => out.varint64(number, value));

function enumeration(prefix: string, names: string[]): Write {
  const values = new Map(names.map((name, value) => [`"${prefix}${name}"`, value]));
  return (json, out, number, name) => {
    const { at } = json;
    let value: number | undefined;
    if (json.peek() === quote) {
      json.string();
      value = values.get(json.bytes.toString('latin1', json.start - 1, json.at));
      if (value === undefined) json.at = at;
    }
    out.varint64(number, BigInt(value ?? integerWithin(json, int32, name)));
  };
}

/** Digits are exact; a form with exponent or fraction goes through a double. */
function integerWithin(json: JsonReader, range: Range, name: string): bigint {
  json.peek();
  const { at } = json;
  const value = exactly(scalar(json, name, range.name));
  if (value === undefined || value < range.least || value > range.most) {
    throw json.wrong(name, range.name, at);
  }
  return value;
}

function exactly(text: string): bigint | undefined {
  if (text.length > digitsMost) return undefined;
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const rounded = decimal.test(text) ? Number(text) : Number.NaN;
  return Number.isInteger(rounded) ? BigInt(rounded) : undefined;
}

const decimal = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** Beyond the digits of any double; a megabyte of them would take seconds to turn into a number. */
const digitsMost = 400;

/** The text of a literal or of a string: numbers may come as either. */
function scalar(json: JsonReader, name: string, wanted: string): string {
  const byte = json.peek();
  if (byte === brace || byte === square) throw json.wrong(name, wanted);
  if (byte !== quote) return json.literal();
  json.string();
  return json.text();
}

function expectString(json: JsonReader, name: string, wanted: string): void {
  if (json.peek() !== quote) throw json.wrong(name, wanted);
  json.string();
}

// Field numbers: opentelemetry-proto 1.11, trace/v1/trace.proto and common/v1/common.proto.
const anyValue: Fields = new Map();
const keyValue = fields({ key: [1, string], value: [2, message(anyValue)] });
const anyValues = fields({ values: [1, list(message(anyValue))] });
const keyValues = fields({ values: [1, list(message(keyValue))] });
for (const [name, field] of fields({
  stringValue: [1, string],
  boolValue: [2, bool],
  intValue: [3, varint64],
  doubleValue: [4, double],
  arrayValue: [5, message(anyValues)],
  kvlistValue: [6, message(keyValues)],
  bytesValue: [7, base64],
})) {
  anyValue.set(name, field);
}
const attributes = list(message(keyValue));
const event = fields({
  timeUnixNano: [1, fixed64],
  name: [2, string],
  attributes: [3, attributes],
});
const status = fields({
  message: [2, string],
  code: [3, enumeration('STATUS_CODE_', ['UNSET', 'OK', 'ERROR'])],
});
const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const span = fields({
  traceId: [1, id],
  spanId: [2, id],
  traceState: [3, string],
  parentSpanId: [4, id],
  name: [5, string],
  kind: [6, enumeration('SPAN_KIND_', kinds)],
  startTimeUnixNano: [7, fixed64],
  endTimeUnixNano: [8, fixed64],
  attributes: [9, attributes],
  events: [11, list(message(event))],
  status: [15, message(status)],
  flags: [16, fixed32],
});
const scope = fields({ name: [1, string], version: [2, string] });
const scopeSpans = fields({ scope: [1, message(scope)], spans: [2, list(message(span))] });
const resource = fields({ attributes: [1, attributes] });
const resourceSpans = fields({
  resource: [1, message(resource)],
  scopeSpans: [2, list(message(scopeSpans))],
});
const request = fields({ resourceSpans: [1, list(message(resourceSpans))] });
