import { afterAll, expect, test } from 'vitest';
import { runCrash } from '../labs/crash/crash.ts';
import { temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('kill -9 under load loses nothing acknowledged and doubles nothing', async () => {
  const result = await runCrash({ kills: 3, seed: 42, storePath: `${folder.path}/rollcall.db` });
  expect(result).toMatchObject({ kills: 3, lost: 0, doubled: 0 });
  expect(result.acknowledged).toBeGreaterThan(0);
});
