import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { otlpExporter } from './exporter.ts';
import { isWanted } from './server-spans.ts';
import { destinationOf, logToStandardError, type RollcallOptions } from './settings.ts';
import { SpanQueue } from './span-queue.ts';

/** The options that a service with an SDK of its own has use for; names come from its resource. */
export type SpanProcessorOptions = Pick<RollcallOptions, 'endpoint' | 'key' | 'log'>;

/**
 * For an SDK that is already there: one more span processor, that sends SERVER spans to Rollcall and leaves
 * everything else alone. It sees spans that are recorded, sampled or not; what the sampler drops no processor
 * ever sees. `rollcallSampler` around the SDK's sampler has SERVER spans recorded all the same, and other
 * processors skip them as before.
 * Unlike lean mode, it takes OTEL_EXPORTER_OTLP_* for the SDK's own backend: Rollcall's address is `endpoint`,
 * else ROLLCALL_ENDPOINT, else this machine.
 */
export function rollcallSpanProcessor(options: SpanProcessorOptions = {}): SpanProcessor {
  const { ROLLCALL_ENDPOINT, ROLLCALL_KEY } = process.env;
  const destination = destinationOf(options, { ROLLCALL_ENDPOINT, ROLLCALL_KEY });
  return new SpanQueue({
    ...destination,
    log: options.log ?? logToStandardError,
    exporter: () => otlpExporter(destination),
    wants: isWanted,
  });
}
