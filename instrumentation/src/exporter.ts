import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Destination } from './settings.ts';

/**
 * OpenTelemetry's own OTLP exporter: JSON over HTTP. Headers, certificates, compression and timeout come from
 * OTEL_EXPORTER_OTLP_* where the destination does not say them.
 */
export function otlpExporter({ url, headers, timeoutMs }: Destination): SpanExporter {
  const { OTLPTraceExporter } =
    require('@opentelemetry/exporter-trace-otlp-http') as typeof import('@opentelemetry/exporter-trace-otlp-http');
  return new OTLPTraceExporter({
    ...(url === undefined ? {} : { url }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs }),
  });
}
