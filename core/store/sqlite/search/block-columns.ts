import { indexOfLeast } from '../../../column.ts';
import type { WeightColumns } from '../../../weight.ts';
import {
  CodedReader,
  decodeFilter,
  decodeTraceIds,
  decodeWeights,
  EndsReader,
  NumbersReader,
} from '../calls/block-parts.ts';
import { callsPerTracePart, frameCalls, parts, partsPerBlock } from '../calls/call-block.ts';
import { blockName } from '../calls/call-tables.ts';
import { decodeSlowest } from '../calls/slowest-calls.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import { ByteCache } from './byte-cache.ts';
import type { CodedFrame, CodedName, NumberName, SlowestOfPiece } from './call-pieces.ts';
import { durationClassesOf } from './duration-class.ts';
import { boundsOf, plainColumns, plainPiece } from './plain-piece.ts';

/** The columns and filters of one block. */
export interface BlockParts {
  coded(name: CodedName, frame: number): CodedFrame;
  numbers(name: NumberName, frame: number): Float64Array | Uint32Array;
  durationClasses(frame: number): Uint8Array;
  traceIds(frame: number): Uint8Array;
  weight(index: number): number;
  filter(part: number): Uint8Array;
  /** Undefined where the block has none. */
  slowest(): SlowestOfPiece | undefined;
}

/** A frame of a column: what one decoding gives. */
type Decoded =
  | CodedFrame
  | { endS: Uint32Array; endNs: Uint32Array }
  | Float64Array
  | Uint8Array
  | WeightColumns
  | { slowest: SlowestOfPiece | undefined };

/**
 * Memory of decoded frames, which live from search to search. Endpoints, clients and contexts take 2 bytes a call,
 * statuses and classes of durations 1: what searches of ten million calls look at fits.
 */
const decodedBytes = 88 * 2 ** 20;
/**
 * Memory of decoded times, sizes, weights and trace ids, 8 to 16 bytes a call, of the few frames whose calls passed everything
 * else. Apart from the others, which they would evict.
 */
const numberBytes = 16 * 2 ** 20;
/** Memory of columns as they are stored, while their frames are decoded one by one. */
const storedBytes = 16 * 2 ** 20;

const traceFrames = callsPerTracePart / frameCalls;

/** Reads parts of blocks, and keeps what it decoded. Blocks are never changed, and their ids are not used again. */
export class BlockColumns {
  readonly #part: Statement;
  readonly #decoded = new ByteCache<Decoded>(decodedBytes);
  readonly #numberFrames = new ByteCache<Decoded>(numberBytes);
  readonly #readers = new ByteCache<CodedReader | NumbersReader | EndsReader>(storedBytes);

  constructor(db: Database) {
    this.#part = db.prepare('SELECT bytes FROM call_block_part WHERE id = ?').pluck();
  }

  /** @param calls of the block */
  of(firstId: number, calls: number): BlockParts {
    return {
      coded: (name, frame) => this.#coded(firstId, name, frame),
      numbers: (name, frame) => this.#numbers(firstId, calls, name, frame),
      durationClasses: (frame) => this.#durationClasses(firstId, calls, frame),
      traceIds: (frame) => this.#traceIds(firstId, frame),
      weight: (index) => this.#weight(firstId, index),
      filter: (part) => this.#filter(firstId, part),
      slowest: () => this.#slowest(firstId),
    };
  }

  #coded(firstId: number, name: CodedName, frame: number): CodedFrame {
    const part = parts[name];
    return this.#frame(firstId, part, frame, () => {
      const reader = this.#reader(firstId, part, (bytes, what) => new CodedReader(bytes, what));
      const codes = reader.codes(frame);
      return {
        value: { values: reader.values, codes },
        bytes: codes.byteLength + reader.values.byteLength / 8,
      };
    });
  }

  #numbers(
    firstId: number,
    calls: number,
    name: NumberName,
    frame: number,
  ): Float64Array | Uint32Array {
    if (name === 'endS' || name === 'endNs') return this.#ends(firstId, calls, frame)[name];
    const part = name === 'durationNs' ? parts.duration : parts[name];
    return this.#frame(
      firstId,
      part,
      frame,
      () => {
        const reader = this.#reader(
          firstId,
          part,
          (bytes, what) => new NumbersReader(bytes, calls, what),
        );
        const value = reader.numbers(frame);
        return { value, bytes: value.byteLength };
      },
      this.#numberFrames,
    );
  }

  #ends(firstId: number, calls: number, frame: number): { endS: Uint32Array; endNs: Uint32Array } {
    return this.#frame(
      firstId,
      parts.end,
      frame,
      () => {
        const reader = this.#reader(
          firstId,
          parts.end,
          (bytes, what) => new EndsReader(bytes, calls, what),
        );
        const value = reader.ends(frame);
        return { value, bytes: value.endS.byteLength + value.endNs.byteLength };
      },
      this.#numberFrames,
    );
  }

  #durationClasses(firstId: number, calls: number, frame: number): Uint8Array {
    const classesFrame = framesPerPart / 2 + frame;
    return this.#frame(firstId, parts.duration, classesFrame, () => {
      const part = parts.duration;
      const open = (bytes: Uint8Array, what: string) => new NumbersReader(bytes, calls, what);
      const value = durationClassesOf(this.#reader(firstId, part, open).numbers(frame));
      return { value, bytes: value.byteLength };
    });
  }

  #traceIds(firstId: number, frame: number): Uint8Array {
    const part = Math.floor(frame / traceFrames);
    const ids = this.#frame(
      firstId,
      parts.traceIds,
      part,
      () => {
        const bytes = this.#bytes(firstId, parts.traceIds + part);
        const value = decodeTraceIds(bytes, nameOf(firstId, parts.traceIds + part));
        return { value, bytes: value.byteLength };
      },
      this.#numberFrames,
    );
    const start = (frame - part * traceFrames) * frameCalls * 16;
    return ids.subarray(start, start + frameCalls * 16);
  }

  #filter(firstId: number, part: number): Uint8Array {
    return this.#frame(firstId, part, 0, () => {
      const value = decodeFilter(this.#bytes(firstId, part), nameOf(firstId, part));
      return { value, bytes: value.byteLength };
    });
  }

  #slowest(firstId: number): SlowestOfPiece | undefined {
    type Cached = { slowest: SlowestOfPiece | undefined };
    return this.#frame<Cached>(firstId, parts.slowest, 0, () => {
      const bytes = this.#part.get(firstId * partsPerBlock + parts.slowest) as
        | Uint8Array
        | undefined;
      if (bytes === undefined) return { value: { slowest: undefined }, bytes: 256 };
      const { indexes, calls, leastNs } = decodeSlowest(bytes, nameOf(firstId, parts.slowest));
      const columns = plainColumns(calls);
      const bounds = boundsOf(calls.length, columns.endS, columns.durationNs);
      const piece = plainPiece(0, calls.length, bounds, () => columns);
      return { value: { slowest: { piece, indexes, leastNs } }, bytes: 80 * calls.length };
    }).slowest;
  }

  #weight(firstId: number, index: number): number {
    const { length, call, weight } = this.#weights(firstId);
    const at = indexOfLeast(call, index, length);
    return at < length && call[at] === index ? weight[at]! : 1;
  }

  #weights(firstId: number): WeightColumns {
    return this.#frame(
      firstId,
      parts.weights,
      0,
      () => {
        const bytes = this.#bytes(firstId, parts.weights);
        const value = decodeWeights(bytes, nameOf(firstId, parts.weights));
        const { call, weight, copies } = value;
        return { value, bytes: call.byteLength + weight.byteLength + copies.byteLength + 256 };
      },
      this.#numberFrames,
    );
  }

  #frame<F extends Decoded>(
    firstId: number,
    part: number,
    frame: number,
    decode: () => { value: F; bytes: number },
    cache: ByteCache<Decoded> = this.#decoded,
  ): F {
    const key = (firstId * partsPerBlock + part) * framesPerPart + frame;
    const known = cache.get(key);
    if (known !== undefined) return known as F;
    const { value, bytes } = decode();
    cache.set(key, value, bytes);
    return value;
  }

  #reader<R extends CodedReader | NumbersReader | EndsReader>(
    firstId: number,
    part: number,
    open: (bytes: Uint8Array, what: string) => R,
  ): R {
    const key = firstId * partsPerBlock + part;
    const known = this.#readers.get(key);
    if (known !== undefined) return known as R;
    const bytes = this.#bytes(firstId, part);
    const reader = open(bytes, nameOf(firstId, part));
    this.#readers.set(key, reader, bytes.length);
    return reader;
  }

  /** @throws DamagedError */
  #bytes(firstId: number, part: number): Uint8Array {
    const bytes = this.#part.get(firstId * partsPerBlock + part) as Uint8Array | undefined;
    if (bytes === undefined) throw new DamagedError(nameOf(firstId, part), 'it is not there');
    return bytes;
  }
}

/** A block of 65,536 calls has eight frames; durations have eight more for their classes. */
const framesPerPart = 16;

const nameOf = (firstId: number, part: number): string => `${blockName(firstId)}, part ${part}`;
