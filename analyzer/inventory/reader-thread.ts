import { parentPort, workerData } from 'node:worker_threads';
import { asAppError } from '../../core/error.ts';
import { readInventory } from './read.ts';
import type { ThreadAnswer } from './reader.ts';

/** The thread of one large upload (reader.ts): parses it, posts the declared routes, ends. */
function answer(): ThreadAnswer {
  try {
    return { inventory: readInventory(workerData as string) };
  } catch (thrown) {
    const { code, message, field } = asAppError(thrown);
    return { code, message, field };
  }
}

parentPort!.postMessage(answer());
