import { afterAll, expect, test } from 'vitest';
import { runOverload } from '../labs/overload/overload.ts';
import { temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Far above what it takes (about 500), far below what the offered bodies would fill. */
const rssMiBMost = 800;

test('far more load than it can take: refused in time, bounded memory, nothing acknowledged lost', async () => {
  const result = await runOverload({
    seconds: 5,
    seed: 1,
    storePath: `${folder.path}/rollcall.db`,
  });
  expect(result).toMatchObject({ wrong: [], lost: 0, doubled: 0 });
  expect(result.refused).toBeGreaterThan(0);
  expect(result.rssMostMiB).toBeLessThan(rssMiBMost);
}, 120_000);
