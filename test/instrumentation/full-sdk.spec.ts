import { expect, it } from 'vitest';
import { startApp } from './app.ts';
import { startSink } from './sink.ts';
import { installed } from './workshop.ts';

/** What ROLLCALL_LEAN=off starts: packages that only this needs. */
it('ROLLCALL_LEAN=off: the whole SDK, to Rollcall, middleware spans and all', async () => {
  const folder = await installed('full-sdk', {
    '@opentelemetry/auto-instrumentations-node': '0.82.0',
    '@opentelemetry/sdk-node': '0.301.0',
    express: '5.2.1',
  });
  const sink = await startSink();
  const register = ['--require', '@rollcall/instrumentation/register'];
  const app = await startApp(folder, [process.execPath, ...register, 'app.cjs'], {
    ROLLCALL_ENDPOINT: sink.url,
    ROLLCALL_KEY: 'rk_full',
    ROLLCALL_LEAN: 'off',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  try {
    await fetch(`${app.url}/users/5`);
    const [span] = await sink.servers(1);
    expect(span!.attributes).toMatchObject({ 'http.route': '/users/:id' });
    expect(span!.resource).toMatchObject({
      'service.name': 'installed-app',
      'service.version': '1.2.3',
    });
    expect(sink.headers.authorization).toBe('Bearer rk_full');
    expect(sink.spans.length).toBeGreaterThan(1);
    const { signal } = await app.stop();
    expect(signal).toBe('SIGTERM');
  } finally {
    await app.stop('SIGKILL');
    await sink.close();
  }
});
