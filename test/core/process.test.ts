import { expect, test } from 'vitest';
import { runToEnd, startService } from '../support/process.ts';

const script = 'test/core/support/service.ts';

test.each(['SIGTERM', 'SIGINT'] as const)('%s closes the service, exit code 0', async (signal) => {
  const running = await startService(script, {});
  expect(await running.stop(signal)).toMatchObject({ code: 0, signal: null });
});

test('a signal during the start waits for it, then closes', async () => {
  const running = await startService(script, {}, { args: ['starts slowly'] });
  const ended = await running.stop();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.output).toContain('"test"');
});

test('a service that does not close ends in bounded time, exit code 1', async () => {
  const running = await startService(script, {}, { args: ['never closes'] });
  const ended = await running.stop();
  expect(ended).toMatchObject({ code: 1, signal: null });
  expect(ended.output).toContain('rollcall test: Error: it did not close within 300 ms');
});

test.each([
  ['fails', 'rollcall test: the port is in use\n'],
  ['is lost', 'rollcall test: the writer is gone\n'],
])('a service that %s is one message, exit code 1', async (behaviour, message) => {
  const ended = await runToEnd(script, {}, [behaviour]);
  expect(ended).toMatchObject({ code: 1, signal: null });
  expect(ended.output.endsWith(message)).toBe(true);
});
