import { endianness } from 'node:os';
import type { CallBatch, CallColumns } from '../../core/call.ts';
import type { Config } from '../../core/config/config.ts';
import { limits } from '../../core/limits.ts';
import { copiesOf } from '../../core/weight.ts';
import type { AttributeSlots } from '../otlp/attributes.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';
import { nanosecondsBeyond } from '../otlp/unix-nano.ts';
import type { CountedSpans } from './counted-spans.ts';
import type { SpanCounts } from './counts.ts';
import { latencyOf } from './open-connection.ts';
import type { Resource } from './resource.ts';
import { chanceOf, unbelieved, weightSaid } from './sampling.ts';
import { mark, slot } from './span-attributes.ts';

/** Writes calls into the columns of a batch: the numbers of the span that the reader is at, and those it is given. */
export class CallRows {
  readonly #walk: TracesReader;
  readonly #countedSpans: CountedSpans;
  readonly #excludeLatency: Config['excludeLatency'];

  // The request in hand.
  #batch!: CallBatch;
  /** How many calls the batch held before. */
  #firstCall = 0;
  #counts!: SpanCounts;
  /** The column that `#traceIds` is a view of. */
  #traceIdsOf: Uint8Array = new Uint8Array(0);
  #traceIds: Int32Array = new Int32Array(0);

  constructor(
    walk: TracesReader,
    countedSpans: CountedSpans,
    excludeLatency: Config['excludeLatency'],
  ) {
    this.#walk = walk;
    this.#countedSpans = countedSpans;
    this.#excludeLatency = excludeLatency;
  }

  /** A request begins, or is read a second time. */
  begin(batch: CallBatch, counts: SpanCounts): void {
    this.#batch = batch;
    this.#firstCall = batch.length;
    this.#counts = counts;
  }

  /** @param endpoint like `client` and `origin` a number of the dictionary */
  append(
    resource: Resource,
    endS: number,
    endpoint: number,
    client: number,
    origin: number,
    status: number,
    isSocket: boolean,
  ): void {
    const walk = this.#walk;
    const { attributes } = walk;
    const index = this.#batch.push();
    this.#countedSpans.note(index - this.#firstCall, walk, resource.serviceHash);
    const columns = this.#batch.columns;
    // Exact below 2^53 ns, which is beyond limits.callDurationNs.
    let durationNs = (walk.endHigh - walk.startHigh) * 2 ** 32 + (walk.endLow - walk.startLow);
    if (durationNs < 0) {
      durationNs = 0;
      this.#counts.clockSkewed += 1;
    }
    if (durationNs > limits.callDurationNs) {
      durationNs = -1;
      this.#counts.durationsDropped += 1;
    }
    const excluded = this.#excludeLatency;
    if (isSocket || durationNs > excluded.longerThanNs || (attributes.marks & mark.stream) !== 0) {
      durationNs = latencyOf(attributes, durationNs, status, isSocket, excluded);
    }
    columns.durationNs[index] = durationNs;
    const sized = (attributes.marks & mark.size) !== 0;
    columns.requestBytes[index] = sized ? sizeOf(attributes, requestSizeSlots) : -1;
    columns.responseBytes[index] = sized ? sizeOf(attributes, responseSizeSlots) : -1;
    columns.endpoint[index] = endpoint;
    columns.origin[index] = origin;
    columns.client[index] = client;
    columns.endS[index] = endS;
    columns.endNs[index] = nanosecondsBeyond(endS, walk.endLow);
    columns.status[index] = status;
    this.#putTraceId(columns, index);
    this.#counts.stored += 1;
    const saysWeight = (attributes.marks & mark.sampling) !== 0 || walk.traceStateLength !== 0;
    if (saysWeight || resource.samplingFactor !== 1) this.#weigh(index, resource);
  }

  #weigh(index: number, { samplingFactor }: Resource): void {
    const said = weightSaid(this.#walk);
    if (said === unbelieved) this.#counts.weightsIgnored += 1;
    const weight = said < 0 ? samplingFactor : said;
    if (weight === 1) return;
    this.#batch.weights.add(index, weight, copiesOf(weight, chanceOf(this.#walk)));
  }

  /** Four bytes at a time: byte by byte it is a tenth of the whole extraction. */
  #putTraceId(columns: CallColumns, index: number): void {
    if (this.#traceIdsOf !== columns.traceId) {
      const { buffer, byteOffset, byteLength } = columns.traceId;
      this.#traceIdsOf = columns.traceId;
      this.#traceIds = new Int32Array(buffer, byteOffset, byteLength / 4);
    }
    const traceIds = this.#traceIds;
    const at = index * 4;
    if (this.#walk.traceIdLength === 0) {
      traceIds.fill(0, at, at + 4);
      return;
    }
    const { view } = this.#walk.cursor;
    const from = this.#walk.traceIdStart;
    traceIds[at] = view.getInt32(from, isLittleEndian);
    traceIds[at + 1] = view.getInt32(from + 4, isLittleEndian);
    traceIds[at + 2] = view.getInt32(from + 8, isLittleEndian);
    traceIds[at + 3] = view.getInt32(from + 12, isLittleEndian);
  }
}

/** The order of bytes in this machine's typed arrays. */
const isLittleEndian = endianness() === 'LE';

const requestSizeSlots = [slot.requestSize, slot.oldRequestSize, slot.otherRequestSize];
const responseSizeSlots = [slot.responseSize, slot.oldResponseSize, slot.otherResponseSize];

/** Bytes; -1 when the span has no size. */
function sizeOf(attributes: AttributeSlots, slots: readonly number[]): number {
  for (let i = 0; i < slots.length; i += 1) {
    const size = attributes.number(slots[i]!);
    if (size >= 0 && size <= Number.MAX_SAFE_INTEGER) return size;
  }
  return -1;
}
