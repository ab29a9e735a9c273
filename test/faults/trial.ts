import { compareCounts, NumberedBodies } from '../labs/load/numbered-bodies.ts';
import { reportedCalls } from '../labs/load/report.ts';
import { Sending } from '../labs/load/sending.ts';
import { startAnalyzerProcess } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** Four senders, the bodies they send, and in the end the comparison of the report with what was acknowledged. */
export class Trial {
  readonly sending: Sending;
  readonly #startMs = Date.now();
  readonly #done: Promise<void>;

  constructor(seed: number, spansPerBody = 500) {
    this.sending = new Sending(new NumberedBodies(seed, this.#startMs, spansPerBody));
    this.#done = this.sending.run();
  }

  /** Waits until so many bodies are acknowledged altogether. */
  async acknowledged(bodies: number): Promise<void> {
    await waitFor(`${bodies} acknowledged bodies`, () => this.sending.acknowledged >= bodies);
  }

  /** Gets everything acknowledged that was ever sent. */
  async finish(): Promise<void> {
    this.sending.finish();
    await this.#done;
  }

  /** What the report of a fresh analyzer lacks, and what it has too much, in calls. */
  async compare(storePath: string): Promise<{ lost: number; doubled: number }> {
    const analyzer = await startAnalyzerProcess(storePath);
    try {
      const fromS = Math.floor(this.#startMs / 1000) - 3600;
      const window = { fromS, toS: Math.ceil(Date.now() / 1000) + 3600 };
      return compareCounts(await reportedCalls(analyzer.url, window), this.sending.truth);
    } finally {
      await analyzer.stop();
    }
  }
}

/** Waits for a condition; the test's own timeout is the bound. */
export const everythingOnce = { lost: 0, doubled: 0 };
