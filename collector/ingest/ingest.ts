import { randomBytes } from 'node:crypto';
import type { CallBatch, CallDictionary, Delivery, NewDimensions } from '../../core/call.ts';
import { AppError, asAppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { ByteBudget, type Sender, type Share } from '../../core/server/byte-budget.ts';
import { atMostEvery } from '../../core/server/memo.ts';
import { conversionText, damageText } from '../../core/store/notices.ts';
import type { AppendOutcome, CallWriter } from '../../core/store/store.ts';
import { heldStepText } from '../../core/store/store-clock.ts';
import type { LinkedCalls } from '../extract/callers/internal-callers.ts';
import { type ClockAhead, ClockSkew } from '../extract/clock-skew.ts';
import type { RejectReason, SpanCounts } from '../extract/counts.ts';
import type { ServiceArrival } from '../extract/service-arrivals.ts';
import type { CollectorMetrics } from '../metrics.ts';
import type { PartialSuccess } from '../otlp/responses.ts';
import type { ArrivalRecorder } from './arrivals.ts';
import { messageDigest } from './digest.ts';
import type { InternalCallRecorder } from './internal-callers.ts';

/**
 * Takes messages from every transport, gathers their calls in batches, has them committed, and only then
 * lets the sender know. While the writer commits one batch all requests fill the next: the slower the
 * disk, the larger the groups.
 */
export class Ingest {
  readonly #writer: CallWriter;
  readonly #extractor: CallExtractor;
  readonly #dictionary: CallDictionary;
  readonly #metrics: CollectorMetrics;
  readonly #arrivals: ArrivalRecorder | undefined;
  readonly #internalCalls: InternalCallRecorder | undefined;
  readonly #bounds: IngestBounds;
  readonly #budget: ByteBudget;
  readonly #prove: () => Promise<void>;
  readonly #onState: (error?: AppError) => void;
  readonly #onClockAhead: (found: ClockAhead) => void;
  readonly #onSameSpan: (service: string) => void;
  /** Digests of the messages taken last, the oldest first. */
  readonly #digests = new Set<string>();
  readonly #clocksAhead = new ClockSkew();
  /** Batches not yet handed to the writer; requests fill the last one. */
  #queue: Group[] = [];
  #waitingCalls = 0;
  #committing = false;
  #scheduled = false;
  /** The last commit failed. One request at a time finds out whether the next one will. */
  #failing = false;
  #closing = false;
  #drained: (() => void) | undefined;

  constructor(options: IngestOptions) {
    this.#writer = options.writer;
    this.#extractor = options.extractor;
    this.#dictionary = options.dictionary;
    this.#metrics = options.metrics;
    this.#arrivals = options.arrivals;
    this.#internalCalls = options.internalCalls;
    this.#bounds = options.bounds ?? limits;
    this.#budget = new ByteBudget(this.#bounds.inFlightBytes);
    this.#prove = atMostEvery(limits.proofMs, () => this.#writer.check());
    this.#onState = options.onState ?? (() => {});
    this.#onClockAhead = options.onClockAhead ?? (() => {});
    this.#onSameSpan = options.onSameSpan ?? (() => {});
    this.#metrics.clocksAhead = () => this.#clocksAhead.current();
    this.#metrics.damagedRows = () => this.#writer.damaged?.length ?? 0;
    this.#metrics.laterOtherCalls = () => this.#writer.laterOtherCalls ?? 0;
    this.#metrics.queueBytes = () => this.#budget.bytes + this.#waitingCalls * bytesPerWaitingCall;
  }

  /**
   * Reserves budget for a body before it is read. The caller releases it.
   * @param declaredBytes the declared length, if any
   * @throws AppError `overloaded`: try later; `unavailable`: the store cannot commit, or the process shuts down
   */
  admit(sender: Sender, declaredBytes = 0): Share {
    if (this.#closing) throw new AppError('unavailable', 'the collector is shutting down');
    if (this.#failing && this.#waitingCalls > 0) {
      throw new AppError('unavailable', 'the store cannot commit at the moment');
    }
    const { waitingCalls } = this.#bounds;
    if (this.#waitingCalls >= waitingCalls) {
      const message = `${this.#waitingCalls} calls wait for their commit; the bound is ${waitingCalls}`;
      throw new AppError('overloaded', message);
    }
    return this.#budget.admit(sender, declaredBytes);
  }

  /**
   * Takes one message. Returns when its calls are durable, or at once when it holds none.
   * @param message ExportTraceServiceRequest; not referred to after this call has returned its promise
   * @param delivered the bytes that came, when they were in another encoding: they identify the delivery
   * @returns what of it was not taken, if anything
   * @throws AppError `invalid`, and then nothing of it was taken; `unavailable` when it was not committed
   */
  async receive(
    project: string,
    message: Buffer,
    delivered: Buffer = message,
  ): Promise<PartialSuccess | undefined> {
    return rejections(await this.take(project, message, () => messageDigest(delivered)));
  }

  /**
   * Like `receive`, with a digest from the caller.
   * @param digest returns 16 bytes; called when the message holds calls
   * @returns what was not taken as it came
   */
  async take(project: string, message: Buffer, digest: () => Uint8Array): Promise<Untaken> {
    const group = this.#openGroup();
    const { batch } = group;
    const firstCall = batch.length;
    const extracted = this.#extractor.extract(project, message, batch);
    const calls = batch.length - firstCall;
    const { rejected, durationsDropped, sameSpan, declared, linked } = extracted;
    const untaken = { rejected, durationsDropped };
    const arrived = this.#extractor.arrivals ?? [];
    if (calls === 0 && sameSpan === undefined && declared === undefined) {
      if (linked !== undefined) this.#internalCalls?.add(linked);
      this.#arrivals?.spans(project, arrived);
      this.#countOthers(extracted);
      return untaken;
    }
    const delivery = { project, digest: digest(), firstCall, calls };
    if (this.#isRepeated(delivery)) this.#countRepeated(extracted);
    else {
      this.#arrivals?.spans(project, arrived);
      if (sameSpan) this.#onSameSpan(sameSpan.service);
    }
    this.#countOthers(extracted);
    const reliesOn = sameSpan?.uncommitted ?? nothing;
    if (calls === 0 && reliesOn.size === 0 && declared === undefined) {
      if (linked !== undefined) this.#internalCalls?.add(linked);
      return untaken;
    }
    if (declared !== undefined) batch.declarations.push(...declared);
    batch.deliveries.push(delivery);
    this.#waitingCalls += calls;
    return new Promise((resolve, reject) => {
      const waiter = { calls, reliesOn, resolve: () => resolve(untaken), reject };
      group.waiters.push(linked === undefined ? waiter : { ...waiter, linked });
      this.#schedule();
    });
  }

  /** Whether the same message came a short while ago: a sender tries again. It is known from now on. */
  #isRepeated({ project, digest }: Delivery): boolean {
    const key = `${Buffer.from(digest).toString('latin1')}${project}`;
    if (this.#digests.has(key)) return true;
    this.#digests.add(key);
    if (this.#digests.size > limits.recentDigests) {
      for (const oldest of this.#digests) {
        this.#digests.delete(oldest);
        break;
      }
    }
    return false;
  }

  /** A repeated message's spans count as those of a delivery that the store recognises. */
  #countRepeated(extracted: SpanCounts): void {
    const { duplicate } = extracted;
    if (duplicate.same_span > 0) this.#metrics.spans('duplicate', '', duplicate.same_span);
    duplicate.same_span = 0;
  }

  /**
   * @returns what an operator must know although the store commits; '' when there is nothing
   * @throws AppError `unavailable` when the store cannot commit, or when we are going down
   */
  async check(): Promise<string> {
    if (this.#closing) throw new AppError('unavailable', 'the collector is shutting down');
    await this.#prove();
    const { heldStep, conversion, damaged = [] } = this.#writer;
    const notices: string[] = [];
    if (heldStep) notices.push(heldStepText(heldStep));
    if (conversion) notices.push(conversionText(conversion));
    if (damaged.length > 0) notices.push(damageText(damaged));
    return notices.join('; ');
  }

  /** Refuses new requests, and returns when all that was taken is committed and answered. */
  close(): Promise<void> {
    this.#closing = true;
    if (!this.#committing && this.#queue.every(({ waiters }) => waiters.length === 0)) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** The batch that requests fill. A full one is sealed, so that the next may begin a new epoch of words. */
  #openGroup(): Group {
    const last = this.#queue.at(-1);
    if (last !== undefined && last.batch.length < this.#bounds.batchCalls) return last;
    if (last !== undefined) this.#seal(last);
    const group = { batch: this.#writer.newBatch(), waiters: [], words: undefined };
    this.#queue.push(group);
    return group;
  }

  /** After this no request may add to the group. */
  #seal(group: Group): NewDimensions {
    if (group.words !== undefined) return group.words;
    group.words = this.#dictionary.takeNew();
    if (this.#extractor.size > this.#bounds.internedStrings) {
      this.#extractor.reset();
      this.#dictionary.reset();
    }
    return group.words;
  }

  /** At the end of this turn of the event loop: what arrived in one turn goes in one commit. */
  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commitNext();
    });
  }

  /** Called while no commit runs: by the turn that `#schedule` waits for, and after each commit. */
  async #commitNext(): Promise<void> {
    const group = this.#queue[0];
    if (group === undefined || group.waiters.length === 0) {
      this.#drained?.();
      return;
    }
    this.#queue.shift();
    this.#committing = true;
    try {
      const outcome = await this.#writer.append(group.batch, this.#seal(group));
      this.#settle(group, outcome);
    } catch (error) {
      this.#fail(group, asAppError(error));
    }
    this.#committing = false;
    this.#commitNext();
  }

  #settle({ batch, waiters }: Group, { stored, otherCalls, commitSeconds }: AppendOutcome): void {
    this.#metrics.otherCalls(otherCalls);
    this.#metrics.commit(commitSeconds);
    if (this.#failing) {
      this.#failing = false;
      this.#onState();
    }
    this.#extractor.committed(batch);
    waiters.forEach((waiter, index) => {
      this.#waitingCalls -= waiter.calls;
      this.#metrics.spans(stored[index] ? 'stored' : 'duplicate', '', waiter.calls);
      if (waiter.linked !== undefined && stored[index]) this.#internalCalls?.add(waiter.linked);
      if (waiter.failure) waiter.reject(waiter.failure);
      else waiter.resolve();
    });
  }

  #fail({ batch, waiters }: Group, error: AppError): void {
    this.#extractor.forget(batch);
    if (!this.#failing) {
      this.#failing = true;
      this.#onState(error);
    }
    // After any failure of the store these calls are not durable, and sending them again may succeed.
    const answer = new AppError('unavailable', 'the store could not commit', { cause: error });
    for (const waiter of waiters) {
      this.#waitingCalls -= waiter.calls;
      this.#metrics.spans('rejected', 'unavailable', waiter.calls);
      waiter.reject(answer);
    }
    this.#failRelying(batch, answer);
  }

  /**
   * Requests whose spans were left out as copies of spans that are lost now: their senders must try again. Their
   * deliveries are committed under other digests, so that the repeated ones are not taken for known.
   */
  #failRelying(lost: CallBatch, failure: AppError): void {
    for (const { batch, waiters } of this.#queue) {
      waiters.forEach((waiter, index) => {
        if (!waiter.reliesOn.has(lost)) return;
        waiter.failure = failure;
        batch.deliveries[index]!.digest = randomBytes(16);
      });
    }
  }

  #countOthers(extracted: SpanCounts): void {
    const { notServer, notHttp, excluded, rejected, duplicate } = extracted;
    if (notServer > 0) this.#metrics.spans('not_server', '', notServer);
    if (notHttp > 0) this.#metrics.spans('not_http', '', notHttp);
    for (const [reason, count] of Object.entries(excluded)) {
      if (count > 0) this.#metrics.spans('excluded', reason, count);
    }
    for (const [reason, count] of Object.entries(rejected)) {
      if (count > 0) this.#metrics.spans('rejected', reason, count);
    }
    for (const [reason, count] of Object.entries(duplicate)) {
      if (count > 0) this.#metrics.spans('duplicate', reason, count);
    }
    const { clockSkewed, durationsDropped, invalidClients, statusAssumed, weightsIgnored } =
      extracted;
    if (clockSkewed > 0) this.#metrics.repairs('duration_zeroed', clockSkewed);
    if (durationsDropped > 0) this.#metrics.repairs('duration_dropped', durationsDropped);
    if (invalidClients > 0) this.#metrics.repairs('client_dropped', invalidClients);
    if (statusAssumed > 0) this.#metrics.repairs('status_assumed', statusAssumed);
    if (weightsIgnored > 0) this.#metrics.repairs('weight_ignored', weightsIgnored);
    for (const found of extracted.clocksAhead) {
      if (this.#clocksAhead.note(found)) this.#onClockAhead(found);
    }
  }
}

export interface IngestOptions {
  writer: CallWriter;
  extractor: CallExtractor;
  dictionary: CallDictionary;
  metrics: CollectorMetrics;
  /** Counts what arrived, for /doctor. */
  arrivals?: ArrivalRecorder;
  /** Counts calls between services. */
  internalCalls?: InternalCallRecorder;
  bounds?: IngestBounds;
  /** Called when commits begin to fail, with the reason, and without one when they succeed again. */
  onState?: (error?: AppError) => void;
  /** Called with a service instance whose clock is ahead of ours, at most once an hour. */
  onClockAhead?: (found: ClockAhead) => void;
  /** Told of a service that sends a span twice, in a message that is not itself a repetition. */
  onSameSpan?: (service: string) => void;
}

export type IngestBounds = Pick<
  Record<keyof typeof limits, number>,
  'inFlightBytes' | 'waitingCalls' | 'batchCalls' | 'internedStrings'
>;

/** What ingest needs of the Extractor (collector/extract/extractor.ts). */
export interface CallExtractor {
  /** Adds the message's calls to the batch. @throws AppError `invalid`, leaving the batch as it was */
  extract(project: string, message: Buffer, batch: CallBatch): SpanCounts;
  /** The batch was not committed: memories of its spans are dropped. */
  forget(batch: CallBatch): void;
  /** The batch is durable. */
  committed(batch: CallBatch): void;
  /** What became of the spans of the message that was extracted last, by service. */
  readonly arrivals?: readonly ServiceArrival[];
  /** Forgets the dictionary's words, which begin a new epoch. */
  reset(): void;
  readonly size: number;
}

interface Group {
  batch: CallBatch;
  /** In the order of the batch's deliveries. */
  waiters: Waiter[];
  /** Set when the group is sealed. */
  words: NewDimensions | undefined;
}

interface Waiter {
  calls: number;
  /** Batches that hold spans of which this request brought copies. */
  reliesOn: ReadonlySet<CallBatch>;
  /** Calls whose caller is known by this request; they count when it is stored. */
  linked?: readonly LinkedCalls[];
  /** Set when one of them was not committed. */
  failure?: AppError;
  resolve(): void;
  reject(error: AppError): void;
}

/** A call's columns and its part of the words. */
const bytesPerWaitingCall = 80;

const nothing: ReadonlySet<CallBatch> = new Set();

/** What of a message was not taken as it came. */
export type Untaken = Pick<SpanCounts, 'rejected' | 'durationsDropped'>;

/**
 * The message to a sender about its rejected spans, and about those that count without their duration: OTLP allows a
 * message where nothing was rejected.
 */
export function rejections({ rejected, durationsDropped }: Untaken): PartialSuccess | undefined {
  let total = 0;
  const parts: string[] = [];
  for (const [reason, count] of Object.entries(rejected)) {
    if (count === 0) continue;
    total += count;
    parts.push(`${count} ${rejectionTexts[reason as RejectReason]}`);
  }
  const messages: string[] = [];
  if (total > 0) messages.push(`${total} spans were not counted: ${parts.join(', ')}`);
  if (durationsDropped > 0) {
    const days = limits.callDurationNs / 86_400e9;
    const text = `${durationsDropped} spans start more than ${days} days before their end (was the start set?): they are counted without a duration`;
    messages.push(text);
  }
  return messages.length === 0 ? undefined : { rejected: total, message: messages.join('; ') };
}

const rejectionTexts: Record<RejectReason, string> = {
  trace_id: 'with a trace_id that is not 16 bytes (JSON: 32 hexadecimal digits)',
  span_id: 'with a span_id that is not 8 bytes (JSON: 16 hexadecimal digits)',
  time_zero: 'without a start or end time',
  future: `ending more than ${limits.futureS} s in the future (a wrong clock?)`,
  too_old: 'older than the retention of days',
};
