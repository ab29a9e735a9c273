import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder on a real disk: a commit to memory would flatter every figure. */
export interface BenchFolder {
  path: string;
  remove(): void;
}

/** `TMPFS_MAGIC` of statfs(2). */
const tmpfs = 0x01021994;

export function benchFolder(): BenchFolder {
  const inMemory = statfsSync(tmpdir()).type === tmpfs;
  const parent = inMemory ? fileURLToPath(new URL('../../../data', import.meta.url)) : tmpdir();
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, 'rollcall-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A new store's path; each measurement begins with none of the files of the last one. */
export function newStore(folder: BenchFolder, name: string): string {
  const path = join(folder.path, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  return join(path, 'rollcall.db');
}
