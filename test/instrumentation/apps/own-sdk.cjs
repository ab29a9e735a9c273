/** A service with an OpenTelemetry SDK of its own, which keeps one trace in none, and Rollcall beside it. */
const { NodeSDK } = require('@opentelemetry/sdk-node');
const tracing = require('@opentelemetry/sdk-trace');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { rollcallSampler, rollcallSpanProcessor } = require('@rollcall/instrumentation');

const others = [];
const other = {
  onStart() {},
  onEnd: (span) => others.push(`${span.kind} ${span.spanContext().traceFlags}`),
  forceFlush: async () => {},
  shutdown: async () => {},
};
const inner = new tracing.AlwaysOffSampler();
const sampler =
  process.env.SAMPLER === 'rollcall'
    ? rollcallSampler(inner)
    : process.env.SAMPLER === 'off'
      ? inner
      : new tracing.AlwaysOnSampler();
const sdk = new NodeSDK({
  sampler,
  instrumentations: [new HttpInstrumentation()],
  spanProcessors: [other, rollcallSpanProcessor()],
});
sdk.start();

const http = require('node:http');
const server = http.createServer((request, response) => {
  if (request.url === '/others') return void response.end(JSON.stringify(others));
  if (request.url === '/end') {
    response.end();
    return void sdk.shutdown().then(() => process.exit(0));
  }
  // A client span, which Rollcall has no use for.
  http.get({ port: server.address().port, path: '/inner' }, (answer) => {
    answer.resume();
    answer.on('end', () => response.end('outer'));
  });
});
const plain = server.listeners('request')[0];
server.removeAllListeners('request');
server.on('request', (request, response) => {
  if (request.url === '/inner') return void response.end('inner');
  plain(request, response);
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
