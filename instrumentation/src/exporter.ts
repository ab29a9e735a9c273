import type { Destination } from './settings.ts';
import type { Sender } from './span-queue.ts';

/**
 * The sending half of OpenTelemetry's OTLP exporter over HTTP, for requests that are encoded already: its
 * retries, and OTEL_EXPORTER_OTLP_* for headers, certificates, compression and timeout.
 */
export function encodedSender(destination: Destination): Sender<Buffer> {
  const base =
    require('@opentelemetry/otlp-exporter-base/node-http') as typeof import('@opentelemetry/otlp-exporter-base/node-http');
  const protobuf = { 'Content-Type': 'application/x-protobuf' };
  const delegate = base.createOtlpHttpExportDelegate<Buffer, void>(
    base.convertLegacyHttpOptions(configOf(destination), 'TRACES', 'v1/traces', protobuf),
    { serializeRequest: (request) => request, deserializeResponse: () => {} },
    'otlp_http_span_exporter',
    { name: 'span', countItems: () => 0 },
    undefined,
  );
  return {
    send: (body, done) => delegate.export(body, done),
    shutdown: () => delegate.shutdown(),
  };
}

export function configOf({ url, headers, timeoutMs }: Destination) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs }),
  };
}
