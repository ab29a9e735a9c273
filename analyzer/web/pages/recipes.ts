/** How a service of each language sends its first span; the README and docs/instrument tell more. */
export interface Recipe {
  name: string;
  text: (to: { endpoint: string; key?: string }) => string;
  hint?: string;
}

const environment = (
  { endpoint, key }: { endpoint: string; key?: string },
  protocol = true,
): string =>
  [
    'export OTEL_SERVICE_NAME=my-service',
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`,
    ...(protocol ? ['export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf'] : []),
    ...(key === undefined
      ? []
      : [`export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20${key}`]),
  ].join('\n');

export const recipes: readonly Recipe[] = [
  {
    name: 'Node',
    text: ({ endpoint, key }) =>
      [
        'export OTEL_SERVICE_NAME=my-service',
        `export ROLLCALL_ENDPOINT=${endpoint}`,
        ...(key === undefined ? [] : [`export ROLLCALL_KEY=${key}`]),
        'node --import @rollcall/instrumentation/register app.js',
      ].join('\n'),
    hint: 'The package is in instrumentation/: npm pack there makes it.',
  },
  {
    name: 'Python',
    text: (to) =>
      [
        'pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http',
        'opentelemetry-bootstrap -a install',
        environment(to),
        'opentelemetry-instrument python app.py',
      ].join('\n'),
  },
  {
    name: 'Java',
    text: (to) =>
      [environment(to), 'java -javaagent:opentelemetry-javaagent.jar -jar app.jar'].join('\n'),
  },
  {
    name: 'Go',
    text: (to) =>
      [
        environment(to, false),
        '',
        '// exporter, _ := otlptracehttp.New(ctx) reads the variables',
        'otel.SetTracerProvider(trace.NewTracerProvider(trace.WithBatcher(exporter)))',
        'http.ListenAndServe(":8080", otelhttp.NewHandler(mux, "server"))',
      ].join('\n'),
  },
  {
    name: '.NET',
    text: (to) =>
      [
        environment(to),
        '',
        'builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing',
        '    .AddAspNetCoreInstrumentation()',
        '    .AddOtlpExporter());',
      ].join('\n'),
  },
  {
    name: 'Collector',
    text: ({ endpoint, key }) =>
      [
        'exporters:',
        '  otlphttp/rollcall:',
        `    endpoint: ${endpoint}`,
        ...(key === undefined ? [] : ['    headers:', `      Authorization: Bearer ${key}`]),
        'service:',
        '  pipelines:',
        '    traces:',
        '      exporters: [otlphttp/rollcall]',
      ].join('\n'),
    hint: 'Add the exporter to the pipeline you have.',
  },
  {
    name: 'curl',
    text: ({ endpoint, key }) =>
      [
        `curl ${endpoint}/v1/traces \\`,
        "  -H 'Content-Type: application/json' \\",
        ...(key === undefined ? [] : [`  -H 'Authorization: Bearer ${key}' \\`]),
        `  -d '${span}'`,
      ].join('\n'),
    hint: 'One made-up call of GET /hello, at the time this page was opened.',
  },
];

/** One SERVER span that ended when the page was opened. */
const endNs = `${Date.now()}000000`;
const startNs = `${Date.now() - 12}000000`;
const attributes = Object.entries({
  'http.request.method': { stringValue: 'GET' },
  'http.route': { stringValue: '/hello' },
  'http.response.status_code': { intValue: 200 },
  'client.address': { stringValue: '127.0.0.1' },
}).map(([key, value]) => ({ key, value }));
const hex = (length: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(length / 2)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
const span = JSON.stringify({
  resourceSpans: [
    {
      resource: {
        attributes: [{ key: 'service.name', value: { stringValue: 'my-service' } }],
      },
      scopeSpans: [
        {
          spans: [
            {
              traceId: hex(32),
              spanId: hex(16),
              name: 'GET /hello',
              kind: 2,
              startTimeUnixNano: startNs,
              endTimeUnixNano: endNs,
              attributes,
            },
          ],
        },
      ],
    },
  ],
});
