import {
  encodeTraces,
  type ResourceSpans,
  type Span,
} from '../../../collector/otlp/traces-encoder.ts';
import type { Random } from '../../../core/random.ts';

/**
 * A request body that is encoded once and then only stamped: before each send every trace and span gets
 * new ids and times in place, and placeholders get new text of the same width. So every body is distinct
 * and a loader spends about 50 ns a span on it instead of microseconds.
 */
export interface SpanPlan {
  name: string;
  kind: number;
  attributes: Span['attributes'];
  /** Spans of one number share a trace. */
  trace: number;
  /** Below the trace's SERVER span, which lies in the same body or in another. */
  child: boolean;
}

export interface ResourcePlan {
  attributes: ResourceSpans['attributes'];
  scopes: { name: string; spans: SpanPlan[] }[];
}

/** Text to be overwritten in each send: a word is drawn for each span, and put wherever `text` stands in it. */
export interface Placeholder {
  /** Unlike all other text of the body. */
  text: string;
  /** Words of the length of `text`, one behind the other. */
  words: Uint8Array;
}

/** Where a placeholder stands: offsets in bytes, and the spans they lie in. */
interface Hole {
  width: number;
  words: Uint8Array;
  at: Int32Array;
  spans: Int32Array;
}

const traceIdBytes = 16;
const spanIdBytes = 8;
/** Random words a trace: four of its id, two of its SERVER span's, one that draws duration and age. */
const traceWords = 7;
const durationCount = 65_536;
/** Unit of the age of a span's end: 65,536 of them are the second before the send. */
const ageUnitNs = 15_000;

export class BodyTemplate {
  readonly bytes: Buffer;
  readonly spans: number;
  readonly servers: number;
  #traceOf: Int32Array;
  /** Offsets in bytes, by span. */
  #traceAt: Int32Array;
  #spanAt: Int32Array;
  #parentAt: Int32Array;
  #startAt: Int32Array;
  #holes: Hole[];
  #durations: Uint32Array;
  #words: Uint32Array;

  /** @param random draws the durations that the stamps choose from: lognormal, 50 µs to 4 s */
  constructor(
    resources: readonly ResourcePlan[],
    placeholders: readonly Placeholder[],
    random: Random,
  ) {
    const plans = resources.flatMap((resource) => resource.scopes.flatMap((scope) => scope.spans));
    this.spans = plans.length;
    this.servers = plans.filter((plan) => plan.kind === 2).length;
    this.#traceOf = Int32Array.from(plans, (plan) => plan.trace);
    const traces = Math.max(...this.#traceOf) + 1;
    this.bytes = encodeMarked(resources);
    this.#traceAt = new Int32Array(this.spans);
    this.#spanAt = new Int32Array(this.spans);
    this.#parentAt = new Int32Array(this.spans);
    this.#startAt = new Int32Array(this.spans);
    this.#locate(plans);
    this.#holes = placeholders.map((placeholder) => this.#locateText(placeholder));
    this.#words = new Uint32Array(traces * traceWords);
    this.#durations = Uint32Array.from({ length: durationCount }, () =>
      Math.min(4e9, Math.max(50_000, random.lognormal(20e6, 1.2))),
    );
  }

  /** Writes new ids and times into a copy of `bytes`; the spans end within the second before `endNs`. */
  stamp(bytes: Buffer, random: Random, endNs: bigint): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const words = this.#words;
    for (let i = 0; i < words.length; i += 1) words[i] = random.u32();
    const high = Number(endNs >> 32n);
    const low = Number(endNs & 0xffffffffn);
    for (let span = 0; span < this.spans; span += 1) {
      const trace = this.#traceOf[span]! * traceWords;
      const at = this.#traceAt[span]!;
      view.setUint32(at, words[trace]!);
      view.setUint32(at + 4, words[trace + 1]!);
      view.setUint32(at + 8, words[trace + 2]!);
      view.setUint32(at + 12, words[trace + 3]!);
      const spanAt = this.#spanAt[span]!;
      const parentAt = this.#parentAt[span]!;
      view.setUint32(spanAt, words[trace + 4]!);
      if (parentAt === 0) view.setUint32(spanAt + 4, words[trace + 5]!);
      else {
        view.setUint32(spanAt + 4, (words[trace + 5]! + span + 1) >>> 0);
        view.setUint32(parentAt, words[trace + 4]!);
        view.setUint32(parentAt + 4, words[trace + 5]!);
      }
      const drawn = words[trace + 6]!;
      const age = (drawn >>> 16) * ageUnitNs;
      const start = this.#startAt[span]!;
      putTime(view, start, high, low - age - this.#durations[drawn & 0xffff]!);
      putTime(view, start + 9, high, low - age);
    }
    for (const hole of this.#holes) fillHole(bytes, hole, random);
  }

  #locate(plans: readonly SpanPlan[]): void {
    let from = 0;
    for (let span = 0; span < plans.length; span += 1) {
      const marks = spanMarks(span);
      const traceAt = this.bytes.indexOf(marks.traceId, from);
      const spanAt = this.bytes.indexOf(marks.spanId, traceAt);
      this.#traceAt[span] = traceAt;
      this.#spanAt[span] = spanAt;
      if (plans[span]!.child) this.#parentAt[span] = spanAt + spanIdBytes + 2;
      const time = Buffer.alloc(8);
      time.writeBigUInt64LE(marks.startTimeUnixNano);
      this.#startAt[span] = this.bytes.indexOf(time, spanAt);
      from = this.#startAt[span]!;
    }
  }

  #locateText(placeholder: Placeholder): Hole {
    const at: number[] = [];
    const spans: number[] = [];
    let span = 0;
    for (
      let found = this.bytes.indexOf(placeholder.text);
      found >= 0;
      found = this.bytes.indexOf(placeholder.text, found + placeholder.text.length)
    ) {
      while (span + 1 < this.spans && this.#traceAt[span + 1]! < found) span += 1;
      at.push(found);
      spans.push(span);
    }
    return {
      width: placeholder.text.length,
      words: placeholder.words,
      at: Int32Array.from(at),
      spans: Int32Array.from(spans),
    };
  }
}

function fillHole(bytes: Buffer, { width, words, at, spans }: Hole, random: Random): void {
  const count = words.length / width;
  let span = -1;
  let word = 0;
  for (let i = 0; i < at.length; i += 1) {
    if (spans[i] !== span) {
      span = spans[i]!;
      word = random.below(count) * width;
    }
    // Byte by byte: `set` of a few bytes costs half a microsecond.
    const to = at[i]!;
    for (let byte = 0; byte < width; byte += 1) bytes[to + byte] = words[word + byte]!;
  }
}

/** Little-endian nanoseconds from halves; `low` may be below zero by less than 2^33. */
function putTime(view: DataView, at: number, high: number, low: number): void {
  let carry = 0;
  let rest = low;
  while (rest < 0) {
    rest += 2 ** 32;
    carry -= 1;
  }
  view.setUint32(at, rest, true);
  view.setUint32(at + 4, high + carry, true);
}

/** Ids and a time by which a span is found again in the encoded bytes. */
function spanMarks(span: number): { traceId: Buffer; spanId: Buffer; startTimeUnixNano: bigint } {
  const traceId = Buffer.alloc(traceIdBytes, 0xa5);
  traceId.writeUInt32BE(span, 4);
  const spanId = Buffer.alloc(spanIdBytes, 0x5a);
  spanId.writeUInt32BE(span, 2);
  return { traceId, spanId, startTimeUnixNano: 0x1122334455660000n + BigInt(span) };
}

function encodeMarked(resources: readonly ResourcePlan[]): Buffer {
  let number = 0;
  const encoded = (plan: SpanPlan): Span => {
    const marks = spanMarks(number);
    number += 1;
    return {
      ...marks,
      ...(plan.child ? { parentSpanId: Buffer.alloc(spanIdBytes, 0xcc) } : {}),
      name: plan.name,
      kind: plan.kind,
      endTimeUnixNano: marks.startTimeUnixNano,
      attributes: plan.attributes,
      status: { code: 0 },
      flags: 0x101,
    };
  };
  return encodeTraces(
    resources.map(({ attributes, scopes }) => ({
      attributes,
      scopes: scopes.map(({ name, spans }) => ({
        name,
        version: '0.301.0',
        spans: spans.map(encoded),
      })),
    })),
  );
}
