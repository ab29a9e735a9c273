import { expect, it } from 'vitest';
import { runRewriting } from '../labs/crash/rewriting.ts';
import { temporaryFolder } from '../support/process.ts';

it('a process killed while it compacts and converts raw calls leaves each of them once', async () => {
  const folder = temporaryFolder();
  const storePath = `${folder.path}/rollcall.db`;
  const seed = Number(process.env.TEST_SEED);
  const options = { kills: 6, killMs: 250, seed, storePath, oldCalls: 20_000, newCalls: 70_000 };
  const { whileConverting, lost, doubled } = await runRewriting(options);
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
  expect(whileConverting).toBeGreaterThan(0);
  folder.remove();
}, 300_000);
