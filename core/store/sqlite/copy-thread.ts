import { closeSync, openSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { Database } from './database.ts';

/** Copies a database on a thread of its own, since the binding blocks its thread for as long. */
export interface Copying {
  source: string;
  target: string;
}

/** How long the copy waits for another process's transaction. */
const busyTimeoutMs = 10_000;

const { source, target } = workerData as Copying;
const from = new Database(source, { readOnly: true, timeoutMs: busyTimeoutMs });
try {
  // With the mode of a store: a copy holds the same addresses.
  closeSync(openSync(target, 'wx', 0o600));
  await from.copyTo(target);
} finally {
  from.close();
}
