import { parentPort } from 'node:worker_threads';
import { asAppError } from '../../core/error.ts';
import { tracesFromJson } from './json.ts';
import { countUnstored, type UnstoredSignal } from './other-signals.ts';

/** Messages between large-json.ts and its thread. Bodies are transferred. */
export interface LargeJsonRequest {
  kind: 'traces' | UnstoredSignal;
  body: Uint8Array;
}

export type LargeJsonAnswer =
  | { message?: Uint8Array; count?: number }
  | { code: string; message: string; field: string | undefined };

const port = parentPort!;

port.on('message', ({ kind, body }: LargeJsonRequest) => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  try {
    if (kind === 'traces') {
      const message = new Uint8Array(tracesFromJson(bytes));
      port.postMessage({ message } satisfies LargeJsonAnswer, [message.buffer]);
    } else {
      port.postMessage({ count: countUnstored(kind, 'json', bytes) } satisfies LargeJsonAnswer);
    }
  } catch (error) {
    const { code, message, field } = asAppError(error);
    port.postMessage({ code, message, field } satisfies LargeJsonAnswer);
  }
});
