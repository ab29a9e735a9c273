import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import {
  type AnyValue,
  encodeTraces,
  type KeyValue,
  type ResourceSpans,
  type Span,
  type SpanEvent,
} from './encode.ts';

/**
 * OTLP/JSON in, protobuf out: one decoder and one extraction serve both encodings. OTLP/JSON is proto3's
 * JSON mapping except that ids are hex and enums are numbers. Lenient where the Collector is (enum names,
 * snake_case, numbers as strings), strict in that a value of the wrong type is an error (OTLP.md J1-J8).
 * @returns an ExportTraceServiceRequest; digits of 64-bit integers are kept, as string or as number
 * @throws AppError `invalid` that names the field and the value
 */
export function tracesFromJson(body: Buffer): Buffer {
  const request = parseJson(body);
  return encodeTraces(objects(request, 'resourceSpans').map(resourceSpans));
}

/** The JSON object of a body. Integers beyond 2^53 come as bigint. @throws AppError `invalid` */
export function parseJson(body: Buffer): JsonObject {
  const text = body.toString('utf8', startsWithMark(body) ? 3 : 0);
  let value: unknown;
  try {
    // The reviver costs ten times the parsing, so only text that may hold such a number pays for it.
    value = largeInteger.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new AppError('invalid', 'the JSON nests too deeply to be read', { cause: error });
    }
    throw new AppError('invalid', `the body is not JSON: ${(error as Error).message}`);
  }
  return object(value, 'the body');
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A field by its lowerCamelCase name, or by its proto name. `null` is the same as absent. */
export function field(parent: unknown, name: string): unknown {
  const from = object(parent, name);
  const value = from[name] ?? from[snakeCase(name)];
  return value === null ? undefined : value;
}

/** @throws AppError `invalid` unless the value is a list or absent */
export function items(value: unknown, name: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw wrong(name, value, 'a list');
}

const largeInteger = /[:[,\s]-?\d{16}/;

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function startsWithMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

function resourceSpans(from: JsonObject): ResourceSpans {
  return {
    attributes: attributes(field(from, 'resource') ?? {}, 0),
    scopes: objects(from, 'scopeSpans').map((scope) => {
      const about = field(scope, 'scope') ?? {};
      return {
        name: text(about, 'name'),
        version: text(about, 'version'),
        spans: objects(scope, 'spans').map(span),
      };
    }),
  };
}

function span(from: JsonObject): Span {
  const status = field(from, 'status');
  return {
    traceId: id(from, 'traceId'),
    spanId: id(from, 'spanId'),
    traceState: text(from, 'traceState'),
    parentSpanId: id(from, 'parentSpanId'),
    flags: Number(integer(from, 'flags', uint32)),
    name: text(from, 'name'),
    kind: enumeration(from, 'kind', spanKinds),
    startTimeUnixNano: integer(from, 'startTimeUnixNano', uint64),
    endTimeUnixNano: integer(from, 'endTimeUnixNano', uint64),
    attributes: attributes(from, 0),
    events: objects(from, 'events').map(event),
    ...(status !== undefined && {
      status: { code: enumeration(status, 'code', statusCodes), message: text(status, 'message') },
    }),
  };
}

function event(from: JsonObject): SpanEvent {
  return {
    timeUnixNano: integer(from, 'timeUnixNano', uint64),
    name: text(from, 'name'),
    attributes: attributes(from, 0),
  };
}

/** A missing or empty value is an empty value, not an error (J8). */
function attributes(parent: unknown, depth: number, name = 'attributes'): KeyValue[] {
  return objects(parent, name).map((pair) => ({
    key: text(pair, 'key'),
    value: anyValue(field(pair, 'value'), depth),
  }));
}

function anyValue(from: unknown, depth: number): AnyValue {
  if (from === undefined || from === null) return { empty: true };
  if (depth > limits.nestingDepth) {
    throw new AppError('invalid', `an attribute's value nests deeper than ${limits.nestingDepth}`);
  }
  const string = field(from, 'stringValue');
  if (string !== undefined) return typeof string === 'string' ? string : text(from, 'stringValue');
  const bool = field(from, 'boolValue');
  if (typeof bool === 'boolean') return bool;
  if (bool !== undefined) throw wrong('boolValue', bool, 'true or false');
  if (field(from, 'intValue') !== undefined) return integer(from, 'intValue', int64);
  const double = field(from, 'doubleValue');
  if (double !== undefined) return { double: float(double) };
  const array = field(from, 'arrayValue');
  if (array !== undefined) {
    const values = items(field(array, 'values'), 'values');
    return { array: values.map((value) => anyValue(value, depth + 1)) };
  }
  const list = field(from, 'kvlistValue');
  if (list !== undefined) return { kvlist: attributes(list, depth + 1, 'values') };
  if (field(from, 'bytesValue') !== undefined) return { bytes: base64(text(from, 'bytesValue')) };
  return { empty: true };
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

/** Absent is 0. Digits are exact; a form with exponent or fraction goes through a double. */
function integer(parent: unknown, name: string, range: Range): bigint {
  const value = field(parent, name);
  if (value === undefined) return 0n;
  const exact = exactly(value);
  if (exact === undefined || exact < range.least || exact > range.most) {
    throw wrong(name, value, range.name);
  }
  return exact;
}

function exactly(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  // 400 digits are beyond any range, and a megabyte of them would take seconds to read.
  if (typeof value !== 'string' || value.length > 400) return undefined;
  if (/^-?\d+$/.test(value)) return BigInt(value);
  if (!decimal.test(value)) return undefined;
  const rounded = Number(value);
  return Number.isInteger(rounded) ? BigInt(rounded) : undefined;
}

const decimal = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

function float(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    if (/^(NaN|-?Infinity)$/.test(value) || (value.length <= 400 && decimal.test(value))) {
      return Number(value);
    }
  }
  throw wrong('doubleValue', value, 'a number');
}

const spanKinds = new Map(
  ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name, value) => [
    `SPAN_KIND_${name}`,
    value,
  ]),
);
const statusCodes = new Map(
  ['UNSET', 'OK', 'ERROR'].map((name, value) => [`STATUS_CODE_${name}`, value]),
);

function enumeration(parent: unknown, name: string, names: Map<string, number>): number {
  const value = field(parent, name);
  const named = typeof value === 'string' ? names.get(value) : undefined;
  return named ?? Number(integer(parent, name, int32));
}

/** Hex in either case; empty is absent. Another length than the id's is the extraction's to judge (P4). */
function id(parent: unknown, name: string): Uint8Array {
  const hex = text(parent, name);
  if (hex.length % 2 === 0 && /^[0-9a-f]*$/i.test(hex)) return Buffer.from(hex, 'hex');
  throw wrong(name, hex, 'hexadecimal');
}

/** Standard or URL-safe alphabet, padded or not. */
function base64(encoded: string): Uint8Array {
  if (/^[\w+/-]*={0,2}$/.test(encoded)) return Buffer.from(encoded, 'base64');
  throw wrong('bytesValue', encoded, 'base64');
}

function text(parent: unknown, name: string): string {
  const value = field(parent, name);
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw wrong(name, value, 'a string');
}

function objects(parent: unknown, name: string): JsonObject[] {
  return items(field(parent, name), name).map((item) => object(item ?? {}, `an item of ${name}`));
}

function object(value: unknown, name: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw wrong(name, value, 'an object');
}

function wrong(name: string, value: unknown, wanted: string): AppError {
  const seen = typeof value === 'object' ? (value === null ? 'null' : 'a list or object') : value;
  return new AppError('invalid', `${name} is ${String(seen).slice(0, 100)}, not ${wanted}`, {
    field: name,
  });
}

const snakeNames = new Map<string, string>();

function snakeCase(name: string): string {
  let snake = snakeNames.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeNames.set(name, snake);
  }
  return snake;
}
