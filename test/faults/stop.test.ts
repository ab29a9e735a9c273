import { afterAll, expect, test } from 'vitest';
import { startCollectorProcess, temporaryFolder } from '../support/process.ts';
import { everythingOnce, Trial } from './trial.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** What the issue asks for; a process manager kills after that. */
const stopMsMost = 10_000;

test('SIGTERM under load: exit 0 within 10 s, and everything acknowledged is there', async () => {
  const storePath = `${folder.path}/rollcall.db`;
  const collector = await startCollectorProcess(storePath);
  const trial = new Trial(4);
  trial.sending.connect(collector.url);
  await trial.acknowledged(30);

  const asked = performance.now();
  const { code, signal } = await collector.stop('SIGTERM');
  expect([code, signal]).toEqual([0, null]);
  expect(performance.now() - asked).toBeLessThan(stopMsMost);
  trial.sending.disconnect();
  expect(trial.sending.refusals.filter(({ status }) => status !== 503)).toEqual([]);

  // What was on its way has an unknown fate: it is sent again, and still counted once.
  const again = await startCollectorProcess(storePath);
  trial.sending.connect(again.url);
  await trial.finish();
  await again.stop();
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});
