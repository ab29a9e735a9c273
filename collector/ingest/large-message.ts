import { hash } from 'node:crypto';
import { CallBatch, CallDictionary } from '../../core/call.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { RejectReason, SpanCounts } from '../extract/counts.ts';
import { Extractor, type ExtractorOptions } from '../extract/extractor.ts';
import type { PartialSuccess } from '../otlp/responses.ts';
import { checkFrames, slicesOf } from '../otlp/split-request.ts';
import { messageDigest } from './digest.ts';
import { type Ingest, rejections } from './ingest.ts';

/**
 * Ingests large messages slice by slice, so that small ones are decoded and committed in between
 * (docs/conformance.md L2). First the whole message is decoded without storing, because a message that is
 * undecodable in its last byte must leave nothing. Then each slice is a delivery of its own, identified by the
 * message's digest and its number. When a later slice is not committed, or the collector dies, the sender
 * repeats the message: committed slices are recognised, the others are counted.
 */
export class LargeMessages {
  readonly #ingest: Ingest;
  readonly #turns = new Turns();
  readonly #extraction: Omit<ExtractorOptions, 'dictionary'>;

  constructor(ingest: Ingest, extraction: Omit<ExtractorOptions, 'dictionary'>) {
    this.#ingest = ingest;
    this.#extraction = extraction;
  }

  /**
   * Takes a message of any size.
   * @param message ExportTraceServiceRequest; a large one is read until the promise is settled, see `isLarge`
   * @param delivered as for `Ingest.receive`
   * @throws AppError `invalid` or `too_large`, and then nothing of it was taken; `unavailable` when not all was committed
   */
  async receive(
    project: string,
    message: Buffer,
    delivered: Buffer = message,
  ): Promise<PartialSuccess | undefined> {
    await this.#turns.next();
    checkFrames(message);
    await this.#prove(project, message);
    const digest = messageDigest(delivered);
    const rejected: Partial<SpanCounts['rejected']> = {};
    let durationsDropped = 0;
    let number = 0;
    for (const slice of slicesOf(message, sliceBytes)) {
      const sliceDigest = () => digestOfSlice(digest, number);
      const found = await this.#ingest.take(project, slice, sliceDigest);
      for (const reason of Object.keys(found.rejected) as RejectReason[]) {
        rejected[reason] = (rejected[reason] ?? 0) + found.rejected[reason];
      }
      durationsDropped += found.durationsDropped;
      number += 1;
      await this.#turns.next();
    }
    return rejections({ rejected: rejected as SpanCounts['rejected'], durationsDropped });
  }

  /**
   * Decodes the whole message with a temporary dictionary.
   * @throws AppError `invalid`
   */
  async #prove(project: string, message: Buffer): Promise<void> {
    const extractor = new Extractor({
      ...this.#extraction,
      dictionary: new CallDictionary(),
      joins: false,
    });
    const batch = new CallBatch();
    let number = 0;
    for (const slice of slicesOf(message, sliceBytes)) {
      number += 1;
      try {
        extractor.extract(project, slice, batch);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
        const where = `in part ${number} of the message, which was read in parts of ${sliceBytes} bytes`;
        throw new AppError('invalid', `${error.message} (${where})`, { cause: error });
      }
      batch.truncate(0);
      if (extractor.size > provingStrings) extractor.reset();
      await this.#turns.next();
    }
  }
}

/** One turn for each iteration of the event loop, in the order asked: I/O and small messages come between. */
class Turns {
  readonly #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#give());
    });
  }

  #give(): void {
    const resolve = this.#waiting.shift()!;
    if (this.#waiting.length > 0) setImmediate(() => this.#give());
    resolve();
  }
}

/** Whether the memory of a message must stay until its promise is settled. */
export function isLarge(message: Buffer): boolean {
  return message.length > limits.largeMessageBytes;
}

/** Strings that the check of a message keeps. They are of no use later, and garbage collection copies what is kept. */
const provingStrings = 20_000;

/** Part of a slice's identity: with another size, slices that were committed before would not be recognised. */
const sliceBytes = limits.largeMessageBytes / 2;

function digestOfSlice(digest: Uint8Array, number: number): Uint8Array {
  const numbered = Buffer.alloc(digest.length + 4);
  numbered.set(digest);
  numbered.writeUInt32LE(number, digest.length);
  return hash('sha256', numbered, 'buffer').subarray(0, 16);
}
