import { withDeadline } from '../deadline.ts';
import { messageOf } from '../guard.ts';
import { limits } from '../limits.ts';
import { Outage } from './outage.ts';

/** Packs spans into the body of a delivery. */
export interface Packer<Span, Body> {
  /** Spans since the last `take`. */
  readonly spans: number;
  add(span: Span): void;
  take(): Body;
  /** Takes back a delivered body, whose memory may be reused. */
  reclaim?(body: Body): void;
}

/** Delivers bodies. Created at the first delivery. */
export interface Sender<Body> {
  /** @param done with code 0 for success, as OpenTelemetry's exporters call it; otherwise with an error */
  send(body: Body, done: (result: { code: number; error?: Error }) => void): void;
  /**
   * Delivers while the process is at its end, without a return to the event loop.
   * @returns how many of the bodies were delivered, counted from the first
   */
  sendAtExit?(bodies: readonly Body[], deadlineMs: number): number;
  shutdown(): Promise<void>;
}

export interface SpanQueueOptions<Span, Body> {
  packer: Packer<Span, Body>;
  sender: () => Sender<Body>;
  /** Rollcall's address without credentials, for log lines. */
  target: string;
  log: (line: string) => void;
  queuedSpansMax: number;
  batchSpansMax?: number | undefined;
  sendDelayMs?: number | undefined;
}

/** A delivery's error: `code` is the HTTP status, or a text such as ECONNREFUSED. */
interface Failure {
  readonly code?: unknown;
  readonly retryAfterMs?: number | undefined;
}

interface Batch<Body> {
  readonly body: Body;
  readonly spans: number;
  /** When it was first sent. */
  sinceMs: number;
  /** Answers of 500. */
  failures: number;
}

/**
 * A bounded queue that delivers spans to Rollcall in batches, one batch at a time. A batch whose delivery failed is
 * sent again as the same bytes, which Rollcall counts once. Lost spans are counted and logged. The SDK's
 * BatchSpanProcessor does neither, and refuses spans that are recorded and not sampled.
 * Holds at most `queuedSpansMax` spans, those of the delivery under way included.
 */
export class SpanQueue<Span, Body> {
  readonly #options: SpanQueueOptions<Span, Body>;
  readonly #packer: Packer<Span, Body>;
  readonly #batchSpansMax: number;
  readonly #sendDelayMs: number;
  readonly #outage: Outage;
  #sender: Sender<Body> | undefined;
  /** Sealed batches, oldest first. The first one is under way or waits for its next try. */
  readonly #batches: Batch<Body>[] = [];
  #batchedSpans = 0;
  #isSending = false;
  #timer: NodeJS.Timeout | undefined;
  /** The backoff; 0 after a success. */
  #retryDelayMs = 0;
  #flushes: (() => void)[] = [];
  #flushUntilMs = 0;
  #isClosed = false;
  #delivered = 0;

  constructor(options: SpanQueueOptions<Span, Body>) {
    this.#options = options;
    this.#packer = options.packer;
    const { queuedSpansMax, batchSpansMax = limits.batchSpans } = options;
    this.#batchSpansMax = Math.min(batchSpansMax, queuedSpansMax);
    this.#sendDelayMs = options.sendDelayMs ?? limits.sendDelayMs;
    this.#outage = new Outage(options.target, options.log);
  }

  /** Spans that Rollcall acknowledged. */
  get delivered(): number {
    return this.#delivered;
  }

  get lost(): number {
    return this.#outage.lost;
  }

  get queued(): number {
    return this.#batchedSpans + this.#packer.spans;
  }

  add(span: Span): void {
    if (this.#isClosed) return;
    if (this.queued >= this.#options.queuedSpansMax) {
      this.#outage.begins(`${this.#options.queuedSpansMax} are waiting`, performance.now());
      this.#outage.lose(1);
      return;
    }
    this.#packer.add(span);
    if (this.#packer.spans >= this.#batchSpansMax) {
      this.#seal();
      if (this.#batches.length === 1 && !this.#isSending) this.#wake(0);
    } else if (this.#timer === undefined && !this.#isSending) {
      this.#wake(this.#sendDelayMs);
    }
  }

  /**
   * Resolves when every queued span was delivered, when Rollcall cannot be reached, or when an answer that allows
   * another try (429, 503 …) does not allow one within `deadlineMs`. Never rejects.
   */
  flush(deadlineMs: number): Promise<void> {
    if (this.queued === 0) return Promise.resolve();
    this.#flushUntilMs = performance.now() + deadlineMs;
    return new Promise((resolve) => {
      this.#flushes.push(resolve);
      if (!this.#isSending) this.#send();
    });
  }

  /** Delivers spans until the time is over, and logs how many were lost. */
  async shutdown(): Promise<void> {
    if (this.#isClosed) return;
    await withDeadline(this.flush(limits.flushMs), limits.flushMs);
    this.close(false);
    await this.#sender?.shutdown().catch(() => {});
  }

  /** Queued spans are lost, and their number is logged. @param handsOver tries to deliver them first, synchronously */
  close(handsOver: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (handsOver) this.#sendAtExit();
    this.#outage.lose(this.queued);
    this.#packer.take();
    this.#batches.length = 0;
    this.#batchedSpans = 0;
    this.#outage.close();
    this.#rest();
  }

  /** Not in an outage: it would hold up every process that ends meanwhile. */
  #sendAtExit(): void {
    if (this.queued === 0 || this.#outage.isAway) return;
    if (this.#packer.spans > 0) this.#seal();
    try {
      this.#sender ??= this.#options.sender();
      const bodies = this.#batches.map(({ body }) => body);
      const sent = this.#sender.sendAtExit?.(bodies, limits.endingMs) ?? 0;
      for (const batch of this.#batches.slice(0, sent)) {
        this.#delivered += batch.spans;
        this.#drop(batch);
      }
    } catch {
      // No process may be started here: the spans are lost, and counted below.
    }
  }

  #wake(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delayMs);
    // A queue keeps no process alive: `sendBeforeEnd` flushes it.
    if (this.#flushes.length === 0) this.#timer.unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isSending || this.#isClosed) return;
    if (this.#batches.length === 0 && this.#packer.spans > 0) this.#seal();
    const batch = this.#batches[0];
    if (batch === undefined) {
      this.#rest();
      return;
    }
    this.#isSending = true;
    if (batch.sinceMs === 0) batch.sinceMs = performance.now();
    try {
      this.#sender ??= this.#options.sender();
      this.#sender.send(batch.body, ({ code, error }) => {
        this.#isSending = false;
        if (this.#isClosed) return;
        if (code === 0) this.#succeed(batch);
        else this.#fail(batch, error);
      });
    } catch (error) {
      this.#isSending = false;
      this.#fail(batch, error as Error);
    }
  }

  #seal(): void {
    const { spans } = this.#packer;
    this.#batches.push({ body: this.#packer.take(), spans, sinceMs: 0, failures: 0 });
    this.#batchedSpans += spans;
  }

  #drop(batch: Batch<Body>): void {
    this.#batches.shift();
    this.#batchedSpans -= batch.spans;
  }

  #succeed(batch: Batch<Body>): void {
    this.#delivered += batch.spans;
    this.#drop(batch);
    this.#packer.reclaim?.(batch.body);
    this.#retryDelayMs = 0;
    this.#outage.ends();
    if (this.#batches.length > 0 || this.#flushes.length > 0) this.#send();
    else if (this.#packer.spans > 0) this.#wake(this.#sendDelayMs);
  }

  #fail(batch: Batch<Body>, error: (Error & Failure) | undefined): void {
    const nowMs = performance.now();
    const isBroken = error?.code === 500 && ++batch.failures >= limits.brokenTries;
    const isOver = isBroken || isFinal(error) || nowMs - batch.sinceMs > limits.retryAgeMs;
    // A failure that the second try mends is not logged.
    if (isOver || this.#retryDelayMs > 0) this.#outage.begins(reasonOf(error), nowMs);
    if (isOver) {
      this.#outage.lose(batch.spans);
      this.#drop(batch);
    }
    const retryAfterMs = Math.min(error?.retryAfterMs ?? 0, limits.retryAfterMsMax);
    const doubledMs = Math.max(limits.retryDelayMs, this.#retryDelayMs * 2);
    this.#retryDelayMs = Math.min(doubledMs, limits.retryDelayMsMax);
    const soonMs = Math.max(limits.retryDelayMs, retryAfterMs);
    const isAnswer = typeof error?.code === 'number';
    if (isAnswer && nowMs + soonMs < this.#flushUntilMs) {
      this.#wake(soonMs);
    } else {
      this.#rest();
      this.#wake(Math.max(this.#retryDelayMs, retryAfterMs));
    }
  }

  #rest(): void {
    this.#flushUntilMs = 0;
    for (const resolve of this.#flushes.splice(0)) resolve();
  }
}

/**
 * Statuses that another try does not change. OTLP retries 429, 502, 503 and 504; here also 408, and 500 a few times,
 * since the same bytes count once. The exporter's error has the status as `code`, a network's error a text.
 */
function isFinal(error: Failure | undefined): boolean {
  const { code } = error ?? {};
  return typeof code === 'number' && ![408, 429, 500, 502, 503, 504].includes(code);
}

function reasonOf(error: Failure | undefined): string {
  const { code } = error ?? {};
  const message = messageOf(error ?? 'no reason given');
  // Text of exporter-trace-otlp-http after its own retries of 429, 502, 503 or 504.
  if (message === 'Export failed with retryable status') return 'it answers 429, 502, 503 or 504';
  return code === undefined || message.includes(String(code)) ? message : `${code} ${message}`;
}
