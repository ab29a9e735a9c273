import { temporaryFolder } from './process.ts';

/**
 * The processes that tests start keep their compiled code in one folder: a service starts with half the CPU. Runs
 * once, before the test processes start, which inherit the variable. Set NODE_COMPILE_CACHE to use a folder of yours.
 */
export function setup(): (() => void) | undefined {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return undefined;
  const folder = temporaryFolder();
  process.env.NODE_COMPILE_CACHE = folder.path;
  return folder.remove;
}
