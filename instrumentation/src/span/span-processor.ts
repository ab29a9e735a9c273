import { context, SpanKind } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { type Packer, type Sender, SpanQueue } from '../export/span-queue.ts';
import { configOf } from '../export/transport.ts';
import { inventorySpanName } from '../inventory.ts';
import { limits } from '../limits.ts';
import { destinationOf, logToStandardError, type RollcallOptions } from '../settings.ts';

/** Options for a service with an SDK of its own, whose resource names the service. */
export type SpanProcessorOptions = Pick<RollcallOptions, 'endpoint' | 'key' | 'log'>;

/**
 * A span processor for a service that has an SDK: sends its SERVER spans to Rollcall. It gets spans that are recorded,
 * sampled or not. No processor gets spans that the sampler drops: `rollcallSampler` around the SDK's sampler records
 * SERVER spans all the same.
 * Unlike lean mode, it leaves OTEL_EXPORTER_OTLP_ENDPOINT to the SDK's own backend: Rollcall's address is
 * `endpoint`, else ROLLCALL_ENDPOINT, else this machine.
 */
export function rollcallSpanProcessor(options: SpanProcessorOptions = {}): SpanProcessor {
  const { ROLLCALL_ENDPOINT, ROLLCALL_KEY } = process.env;
  const destination = destinationOf(options, { ROLLCALL_ENDPOINT, ROLLCALL_KEY });
  const queue = new SpanQueue({
    packer: new SpanList(),
    sender: () => spanSender(new OTLPTraceExporter(configOf(destination))),
    target: destination.target,
    log: options.log ?? logToStandardError,
    queuedSpansMax: limits.queuedSpanObjects,
    batchSpansMax: limits.batchSpanObjects,
  });
  return {
    onStart: () => {},
    onEnd: (span) => {
      if (span.kind === SpanKind.SERVER || span.name === inventorySpanName) queue.add(span);
    },
    forceFlush: () => queue.flush(limits.flushMs),
    shutdown: () => queue.shutdown(),
  };
}

class SpanList implements Packer<ReadableSpan, ReadableSpan[]> {
  #list: ReadableSpan[] = [];

  get spans(): number {
    return this.#list.length;
  }

  add(span: ReadableSpan): void {
    this.#list.push(span);
  }

  take(): ReadableSpan[] {
    const taken = this.#list;
    this.#list = [];
    return taken;
  }
}

function spanSender(exporter: OTLPTraceExporter): Sender<ReadableSpan[]> {
  return {
    // Otherwise the service's HTTP instrumentation would make a client span for each export.
    send: (spans, done) =>
      context.with(suppressTracing(context.active()), () => exporter.export(spans, done)),
    shutdown: () => exporter.shutdown(),
  };
}
