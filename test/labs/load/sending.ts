import { addCounts, type NumberedBodies } from './numbered-bodies.ts';
import { type Answer, connections, postTraces } from './post.ts';

const senders = 4;

/**
 * Four connections that send bodies, new ones and those whose fate is unknown, until told to finish.
 * What was acknowledged is never sent again, what was not is sent again byte for byte.
 */
export class Sending {
  /** Bodies. */
  acknowledged = 0;
  /** Bodies that were sent a second or a further time. */
  resent = 0;
  /** Answers other than 200, the latest last. */
  readonly refusals: Answer[] = [];
  /** Calls by endpoint of the acknowledged bodies. */
  readonly truth = new Map<string, number>();
  readonly #bodies: NumberedBodies;
  readonly #agent = connections(senders);
  /** Bodies whose fate is unknown. */
  readonly #unacknowledged: number[] = [];
  #next = 0;
  #finishing = false;
  #connected = false;
  #server = Promise.withResolvers<string>();

  constructor(bodies: NumberedBodies) {
    this.#bodies = bodies;
  }

  connect(url: string): void {
    this.#connected = true;
    this.#server.resolve(url);
  }

  disconnect(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#server = Promise.withResolvers<string>();
  }

  /** Sends nothing new any more; `run` ends when all is acknowledged. */
  finish(): void {
    this.#finishing = true;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: senders }, () => this.#send()));
    this.#agent.destroy();
  }

  async #send(): Promise<void> {
    while (true) {
      const url = await this.#server.promise;
      const again = this.#unacknowledged.shift();
      if (again === undefined && this.#finishing) return;
      if (again !== undefined) this.resent += 1;
      await this.#sendOne(url, again ?? this.#next++);
    }
  }

  async #sendOne(url: string, number: number): Promise<void> {
    const bytes = this.#bodies.bytes(number);
    const answer = await postTraces(url, this.#agent, bytes).catch(() => undefined);
    if (answer?.status === 200) {
      this.acknowledged += 1;
      addCounts(this.truth, this.#bodies.calls(number));
    } else {
      this.#unacknowledged.push(number);
      if (answer !== undefined) this.refusals.push(answer);
      // A process that died says so to the operating system a moment before it says so to us.
      await delay(5);
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
