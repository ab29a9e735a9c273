import { grown } from '../../../core/column.ts';
import { limits } from '../../../core/limits.ts';
import { idHash, sameBytes } from '../../intern/hash.ts';
import { ProtobufReader } from '../../otlp/protobuf-reader.ts';

/**
 * The spans of one request that joining looks at (collector/extract/join/joins.ts), in columns of offsets into its
 * message: first its SERVER spans, in the message's order, then the others of some traces. They are known
 * by their places, and found by their ids. `SecondReading` writes them: `open`, then `begin` and `keep` of
 * each.
 */
export class SpanTable {
  /** Of these the first `servers` are SERVER spans. */
  count = 0;
  servers = 0;
  /** Where the span's bytes lie. */
  start = new Int32Array(firstSpans);
  end = new Int32Array(firstSpans);
  /** Where the ids lie; 0 when it has none that is valid. */
  trace = new Int32Array(firstSpans);
  id = new Int32Array(firstSpans);
  parent = new Int32Array(firstSpans);
  kind = new Int32Array(firstSpans);
  flags = new Int32Array(firstSpans);
  /** Marks of its attributes (span-attributes.ts). */
  marks = new Int32Array(firstSpans);
  /** Hashes: of the service, of its instance, of the instrumentation scope, of method and path. */
  service = new Int32Array(firstSpans);
  instance = new Int32Array(firstSpans);
  scope = new Int32Array(firstSpans);
  request = new Int32Array(firstSpans);
  /** The client's port, 0 when the span does not say; plus 65,536 when the protocol is HTTP/1. */
  connection = new Int32Array(firstSpans);
  /** Where route (0: none) and name lie. */
  route = new Int32Array(firstSpans);
  routeEnd = new Int32Array(firstSpans);
  name = new Int32Array(firstSpans);
  nameEnd = new Int32Array(firstSpans);
  /** Nanoseconds, rounded to 256: rounding keeps what lies within what. */
  startNs = new Float64Array(firstSpans);
  endNs = new Float64Array(firstSpans);

  /** On the message in hand. */
  readonly cursor = new ProtobufReader();
  /** Open addressing over (trace, id): span + 1, or 0. */
  #byId = new Int32Array(firstSpans * 2);
  #indexed = 0;

  /** Of another message, without spans as yet. */
  open(message: Buffer): void {
    this.cursor.open(message);
    this.servers = 0;
    this.count = 0;
    this.#indexed = 0;
    this.#byId.fill(0);
  }

  /**
   * @returns the place for the span that lies there, cleared; unless `keep` takes it in, it is the next
   * one's, too
   */
  begin(start: number, end: number): number {
    const at = this.count;
    if (at === this.start.length) this.#resize(at * 2, at);
    this.start[at] = start;
    this.end[at] = end;
    this.trace[at] = 0;
    this.id[at] = 0;
    this.parent[at] = 0;
    this.kind[at] = 0;
    this.flags[at] = 0;
    this.route[at] = 0;
    this.name[at] = 0;
    this.nameEnd[at] = 0;
    this.startNs[at] = 0;
    this.endNs[at] = 0;
    return at;
  }

  /** Takes in the span that was begun last, its columns written; these three are hashes. */
  keep(service: number, instance: number, scope: number): void {
    const at = this.count;
    this.service[at] = service;
    this.instance[at] = instance;
    this.scope[at] = scope;
    this.#index(at);
    this.count = at + 1;
  }

  /** Lets the message go, and memory that only an enormous request needs. */
  close(): void {
    this.cursor.close();
    if (this.start.length <= keptSpans) return;
    this.#resize(firstSpans, 0);
    this.#byId = new Int32Array(firstSpans * 2);
  }

  /** The first span with the id at `id` in the trace at `trace`, or -1. */
  find(trace: number, id: number): number {
    const { view } = this.cursor;
    return this.findId(view, trace, view, id);
  }

  /** The same, of ids that lie elsewhere. */
  findId(traceView: DataView, trace: number, idView: DataView, id: number): number {
    const mask = this.#byId.length - 1;
    const { view } = this.cursor;
    let place = idHash(traceView, trace, idView, id) & mask;
    for (;;) {
      const span = this.#byId[place]! - 1;
      if (span < 0) return -1;
      if (
        sameBytes(view, this.id[span]!, idView, id, 8) &&
        sameBytes(view, this.trace[span]!, traceView, trace, 16)
      ) {
        return span;
      }
      place = (place + 1) & mask;
    }
  }

  /** What lies there, at most as much as is kept of a route. */
  text(start: number, end: number): string {
    return this.cursor.bytes.toString('utf8', start, Math.min(end, start + limits.routeBytes));
  }

  #index(span: number): void {
    if (this.trace[span] === 0 || this.id[span] === 0) return;
    if (this.#indexed * 2 >= this.#byId.length) this.#rehash();
    if (this.#put(span)) this.#indexed += 1;
  }

  /** The first span with an id keeps it. */
  #put(span: number): boolean {
    const { view } = this.cursor;
    const mask = this.#byId.length - 1;
    const [trace, id] = [this.trace[span]!, this.id[span]!];
    if (this.findId(view, trace, view, id) >= 0) return false;
    let place = idHash(view, trace, view, id) & mask;
    while (this.#byId[place] !== 0) place = (place + 1) & mask;
    this.#byId[place] = span + 1;
    return true;
  }

  #rehash(): void {
    const old = this.#byId;
    this.#byId = new Int32Array(old.length * 2);
    for (const span of old) if (span !== 0) this.#put(span - 1);
  }

  #resize(spans: number, kept: number): void {
    for (const name of intColumns) this[name] = grown(this[name].subarray(0, kept), spans);
    this.startNs = grown(this.startNs.subarray(0, kept), spans);
    this.endNs = grown(this.endNs.subarray(0, kept), spans);
  }
}

/** Span.kind. */
export const spanKind = { internal: 1, server: 2 } as const;

const firstSpans = 1024;
/** Columns of more spans are let go after their request: 65,536 spans take 5 MiB. */
const keptSpans = 65_536;

const intColumns = [
  'start',
  'end',
  'trace',
  'id',
  'parent',
  'kind',
  'flags',
  'marks',
  'service',
  'instance',
  'scope',
  'request',
  'connection',
  'route',
  'routeEnd',
  'name',
  'nameEnd',
] as const;
