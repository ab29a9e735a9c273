import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Load, Loaded } from './loader.ts';

const loader = fileURLToPath(new URL('loader.ts', import.meta.url));

/** Runs one load in a process of its own. @throws Error when the loader ended without an answer */
export function runLoad(load: Load): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const child = fork(loader, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let answered = false;
    child.once('message', (loaded) => {
      answered = true;
      resolve(loaded as Loaded);
    });
    child.once('exit', (code, signal) => {
      if (!answered) reject(new Error(`loader ended with ${signal ?? code} and no result`));
    });
    child.send(load);
  });
}
