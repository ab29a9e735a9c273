import { setImmediate as turn } from 'node:timers/promises';
import { CallBatch, type NewDimensions } from '../../../core/call.ts';
import type { AppError } from '../../../core/error.ts';
import type { AppendOutcome, CallWriter } from '../../../core/store/store.ts';
import { waitFor } from '../../support/wait.ts';

/** A writer whose commits end when the test says so. */
export class HeldWriter implements CallWriter {
  readonly appended: {
    batch: CallBatch;
    words: NewDimensions;
    settle: (error?: AppError) => void;
  }[] = [];
  /** Batches that it handed out. */
  readonly made: CallBatch[] = [];
  /** Calls of deliveries that were committed, each delivery once. */
  storedCalls = 0;
  readonly #seen = new Set<string>();

  /** Waits for the commit of that number, from 0 on, and lets it succeed or fail. */
  async settle(number: number, error?: AppError): Promise<void> {
    const appended = () => this.appended[number];
    const batch = await waitFor(`batch ${number}`, appended, { everyMs: 0 });
    batch.settle(error);
    await turn();
  }

  append(batch: CallBatch, words: NewDimensions): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      const settle = (error?: AppError) => {
        if (error) reject(error);
        else {
          const stored = batch.deliveries.map(({ digest, calls }) => {
            const key = Buffer.from(digest).toString('hex');
            if (this.#seen.has(key)) return false;
            this.#seen.add(key);
            this.storedCalls += calls;
            return true;
          });
          resolve({
            stored,
            otherCalls: 0,
            commitSeconds: 0.001,
          });
        }
      };
      this.appended.push({ batch, words, settle });
    });
  }

  newBatch(): CallBatch {
    const batch = new CallBatch();
    this.made.push(batch);
    return batch;
  }
  async purge(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}
}
