import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startApp } from './app.ts';
import { type Sink, startSink } from './sink.ts';
import { installed } from './workshop.ts';

/** Beside an SDK that is there already, and instead of lean mode. */
let folder: string;
let sink: Sink;

beforeAll(async () => {
  folder = await installed('own-sdk', {
    '@opentelemetry/instrumentation-http': '0.301.0',
    '@opentelemetry/sdk-node': '0.301.0',
    '@opentelemetry/sdk-trace': '3.1.0',
  });
  sink = await startSink();
});
afterAll(() => sink.close());
beforeEach(() => {
  sink.spans.length = 0;
});

/** Two calls, outer and inner; then what the other processor saw, `KIND FLAGS` each. */
async function callsUnder(sampler: string): Promise<string[]> {
  const app = await startApp(folder, [process.execPath, 'own-sdk.cjs'], {
    ROLLCALL_ENDPOINT: sink.url,
    // The other backend: none of our spans may go there.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    SAMPLER: sampler,
  });
  try {
    expect(await (await fetch(`${app.url}/outer`)).text()).toBe('outer');
    const seen = (await (await fetch(`${app.url}/others`)).json()) as string[];
    await fetch(`${app.url}/end`).then(
      (answer) => answer.arrayBuffer(),
      () => {},
    );
    await app.stop('SIGCONT');
    return seen;
  } finally {
    await app.stop('SIGKILL');
  }
}

const paths = () =>
  sink.spans.map(({ kind, attributes }) => `${kind} ${attributes['url.path'] ?? ''}`);

it('SERVER spans alone go to Rollcall; the other processor sees all', async () => {
  const seen = await callsUnder('on');
  expect(seen.sort()).toEqual(['1 1', '1 1', '2 1'].sort());
  expect(paths()).toEqual(expect.arrayContaining(['2 /inner', '2 /outer', '2 /others']));
  expect(sink.spans.every(({ kind }) => kind === 2)).toBe(true);
});

it('what the sampler drops no processor sees', async () => {
  expect(await callsUnder('off')).toEqual([]);
  expect(sink.spans).toEqual([]);
});

it('rollcallSampler has SERVER spans recorded, unsampled', async () => {
  const seen = await callsUnder('rollcall');
  expect(seen).toEqual(['1 0', '1 0']);
  expect(paths()).toEqual(expect.arrayContaining(['2 /inner', '2 /outer', '2 /others']));
  expect(sink.spans.every(({ flags }) => (flags & 1) === 0)).toBe(true);
});
