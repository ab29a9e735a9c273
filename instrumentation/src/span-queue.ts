import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { withDeadline } from './deadline.ts';
import { messageOf } from './guard.ts';
import { limits } from './limits.ts';
import { Outage } from './outage.ts';

export interface SpanQueueOptions {
  /** Made when the first span is sent: loading it costs more than all the rest of a start. */
  exporter: () => SpanExporter;
  /** Where spans go, for log lines. */
  target: string;
  log: (line: string) => void;
  /** Spans that are not wanted are nobody's loss. */
  wants: (span: ReadableSpan) => boolean;
  queuedSpansMax?: number | undefined;
  batchSpansMax?: number | undefined;
  sendDelayMs?: number | undefined;
}

interface Batch {
  readonly spans: ReadableSpan[];
  readonly sinceMs: number;
}

/**
 * Spans on their way to Rollcall, one export at a time. The SDK's own batch processor drops spans without a
 * count, gives up a batch whose answer failed, and takes no spans that are recorded and not sampled; here a
 * batch that failed is sent again as the same bytes, which a collector counts once, and what is lost is
 * counted. Holds at most `queuedSpansMax`, the batch under way included.
 */
export class SpanQueue implements SpanProcessor {
  readonly #options: SpanQueueOptions;
  readonly #queuedSpansMax: number;
  readonly #batchSpansMax: number;
  readonly #outage: Outage;
  #exporter: SpanExporter | undefined;
  #waiting: ReadableSpan[] = [];
  /** Being sent, or waiting to be sent again. */
  #batch: Batch | undefined;
  #isSending = false;
  #timer: NodeJS.Timeout | undefined;
  #retryDelayMs = 0;
  #idle: (() => void)[] = [];
  #isClosed = false;
  #delivered = 0;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
    const { queuedSpansMax = limits.queuedSpans, batchSpansMax = limits.batchSpans } = options;
    this.#queuedSpansMax = Math.max(1, queuedSpansMax);
    this.#batchSpansMax = Math.min(Math.max(1, batchSpansMax), this.#queuedSpansMax);
    this.#outage = new Outage(options.target, options.log);
  }

  /** Spans taken by Rollcall, and spans that never will be. */
  get delivered(): number {
    return this.#delivered;
  }

  get lost(): number {
    return this.#outage.lost;
  }

  get queued(): number {
    return this.#waiting.length + (this.#batch?.spans.length ?? 0);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#isClosed || !this.#options.wants(span)) return;
    if (this.queued >= this.#queuedSpansMax) {
      this.#outage.begins(`${this.#queuedSpansMax} are waiting`, performance.now());
      this.#outage.lose(1);
      return;
    }
    this.#waiting.push(span);
    if (this.#batch !== undefined) return;
    if (this.#waiting.length >= this.#batchSpansMax) this.#wake(0);
    else if (this.#timer === undefined) this.#wake(this.#options.sendDelayMs ?? limits.sendDelayMs);
  }

  /** Resolves when all that waits was delivered, or tried once more in vain. Never rejects. */
  forceFlush(): Promise<void> {
    if (this.queued === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      if (!this.#isSending) this.#send();
    });
  }

  /** Delivers what it can within the time, and says what was lost. */
  async shutdown(): Promise<void> {
    if (this.#isClosed) return;
    await withDeadline(this.forceFlush(), limits.endingMs);
    this.close();
    await this.#exporter?.shutdown().catch(() => {});
  }

  /** What still waits is lost, and said to be. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#outage.lose(this.queued);
    this.#waiting = [];
    this.#batch = undefined;
    this.#outage.close();
    this.#rest();
  }

  #wake(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delayMs);
    // A process may end with spans waiting: `beforeExit` sends them.
    this.#timer.unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isSending || this.#isClosed) return;
    this.#batch ??= this.#nextBatch();
    const batch = this.#batch;
    if (batch === undefined) {
      this.#rest();
      return;
    }
    this.#isSending = true;
    try {
      const exporter = this.#exporter ?? this.#options.exporter();
      this.#exporter = exporter;
      // Otherwise somebody's HTTP instrumentation would make a span of each export.
      context.with(suppressTracing(context.active()), () => {
        exporter.export(batch.spans, ({ code, error }) => this.#exported(batch, code, error));
      });
    } catch (error) {
      this.#isSending = false;
      this.#fail(batch, error as Error);
    }
  }

  #exported(batch: Batch, code: number, error: Error | undefined): void {
    this.#isSending = false;
    if (this.#isClosed) return;
    if (code === 0) this.#succeed(batch);
    else this.#fail(batch, error);
  }

  #nextBatch(): Batch | undefined {
    if (this.#waiting.length === 0) return undefined;
    const isAll = this.#waiting.length <= this.#batchSpansMax;
    const spans = isAll ? this.#waiting : this.#waiting.splice(0, this.#batchSpansMax);
    if (isAll) this.#waiting = [];
    return { spans, sinceMs: performance.now() };
  }

  #succeed(batch: Batch): void {
    this.#delivered += batch.spans.length;
    this.#batch = undefined;
    this.#retryDelayMs = 0;
    this.#outage.ends();
    if (this.#waiting.length >= this.#batchSpansMax || this.#idle.length > 0) this.#send();
    else if (this.#waiting.length > 0) this.#wake(this.#options.sendDelayMs ?? limits.sendDelayMs);
    else this.#rest();
  }

  #fail(batch: Batch, error: Error | undefined): void {
    const nowMs = performance.now();
    this.#outage.begins(reasonOf(error), nowMs);
    if (isFinal(error) || nowMs - batch.sinceMs > limits.retryAgeMs) {
      this.#outage.lose(batch.spans.length);
      this.#batch = undefined;
    }
    this.#retryDelayMs = Math.min(
      this.#retryDelayMs === 0 ? limits.retryDelayMs : this.#retryDelayMs * 2,
      limits.retryDelayMsMax,
    );
    // Whoever waits for the end of the queue waits for one try, not for Rollcall.
    this.#rest();
    if (this.queued > 0) this.#wake(this.#retryDelayMs);
  }

  #rest(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/**
 * Nothing makes these bytes welcome: OTLP's statuses that must not be retried. The exporter's error has the
 * status as `code`, a network's has a text there.
 */
function isFinal(error: Error | undefined): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' && ![408, 429, 502, 503, 504].includes(code);
}

function reasonOf(error: Error | undefined): string {
  const { code } = (error ?? {}) as { code?: unknown };
  const message = messageOf(error ?? 'no reason given');
  // The exporter's own words for a 429, 502, 503 or 504 that did not end.
  if (message === 'Export failed with retryable status') return 'it answers 429, 502, 503 or 504';
  return code === undefined || message.includes(String(code)) ? message : `${code} ${message}`;
}
