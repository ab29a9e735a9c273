import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { type Running, startCollectorProcess, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';
import { everythingOnce, Trial } from './trial.ts';

const folder = temporaryFolder();
const disk = mountSmallDisk();
let collector: Running | undefined;

afterAll(async () => {
  await collector?.stop();
  if (disk.mounted) execFileSync('umount', [folder.path]);
  folder.remove();
});

test('a full disk: 503 with Retry-After, never 200; it goes on by itself when there is room', async (context) => {
  if (!disk.mounted) context.skip(`cannot mount a small disk here: ${disk.why}`);
  const storePath = `${folder.path}/rollcall.db`;
  const filler = `${folder.path}/filler`;
  writeFileSync(filler, Buffer.alloc(40 * 2 ** 20));
  const { url, ...running } = await startCollectorProcess(storePath);
  collector = running;
  const trial = new Trial(1);
  const { sending } = trial;
  sending.connect(url);

  await waitFor('20 refusals', () => sending.refusals.length >= 20);
  expect(sending.acknowledged).toBeGreaterThan(0);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const acknowledgedWhenFull = sending.acknowledged;

  rmSync(filler);
  await trial.acknowledged(acknowledgedWhenFull + 20);
  await trial.finish();
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  for (const { status, retryAfterS } of sending.refusals) {
    expect(status).toBe(503);
    expect(retryAfterS).toBeGreaterThanOrEqual(1);
    expect(retryAfterS).toBeLessThanOrEqual(5);
  }
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

/** 64 MiB in memory, where the machine permits it. */
function mountSmallDisk(): { mounted: boolean; why: string } {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder.path], {
      stdio: 'pipe',
    });
    return { mounted: true, why: '' };
  } catch (error) {
    return { mounted: false, why: (error as Error).message };
  }
}
