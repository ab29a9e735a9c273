import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { ReadInventory } from './declared-route.ts';
import { readInventory } from './read.ts';

/**
 * Reads uploads, large ones on a thread of their own: 10 MB of YAML take a second, in which the analyzer's event
 * loop answers others. One large upload is read at a time, in bounded memory and time.
 */
export class InventoryReader {
  readonly #memoryMiB: number;
  #reading = false;

  /** @param memoryMiB of the thread's heap */
  constructor(memoryMiB = 384) {
    this.#memoryMiB = memoryMiB;
  }

  /** @throws as `readInventory`; AppError `overloaded` while another large upload is read */
  async read(body: string): Promise<ReadInventory> {
    if (body.length <= limits.inventoryInlineCharacters) return readInventory(body);
    if (this.#reading) {
      throw new AppError('overloaded', 'another large inventory is being read; try again');
    }
    this.#reading = true;
    try {
      return await readOnThread(body, this.#memoryMiB);
    } finally {
      this.#reading = false;
    }
  }
}

/** What the thread posts. */
export type ThreadAnswer =
  | { inventory: ReadInventory }
  | { code: ErrorCode; message: string; field: string | undefined };

function readOnThread(body: string, memoryMiB: number): Promise<ReadInventory> {
  const thread = new Worker(new URL('./reader-thread.ts', import.meta.url), {
    workerData: body,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const { promise, resolve, reject } = Promise.withResolvers<ReadInventory>();
  const seconds = limits.inventoryReadMs / 1000;
  const timer = setTimeout(() => {
    reject(invalid(`the document takes more than ${seconds} s to read; split it by service`));
  }, limits.inventoryReadMs);
  thread.on('message', (answer: ThreadAnswer) => {
    if ('inventory' in answer) resolve(answer.inventory);
    else reject(new AppError(answer.code, answer.message, fieldOf(answer.field)));
  });
  thread.on('error', (error) => {
    const isMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    const bound = `the document takes more than ${Math.floor(memoryMiB)} MiB to read; split it by service`;
    reject(isMemory ? invalid(bound) : error);
  });
  thread.on('exit', () => reject(new Error('the thread that reads inventories ended')));
  return promise.finally(() => {
    clearTimeout(timer);
    return thread.terminate();
  });
}

const fieldOf = (field: string | undefined) => (field === undefined ? {} : { field });
const invalid = (message: string) => new AppError('invalid', message, { field: 'body' });
