import { connect } from 'node:net';
import type { FuzzCase } from './case.ts';
import { type Lane, type LaneOptions, silentMs } from './lane.ts';

/**
 * HTTP from its first byte: what a client sends for a request, changed anywhere, each on a connection of
 * its own. Any answer will do as long as the connection ends when the client has said all.
 */
export class RawLane implements Lane {
  readonly #options: LaneOptions;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { next, answered, unanswered } = this.#options;
    for (let fuzzed = next(); fuzzed !== undefined; fuzzed = next()) {
      const startMs = performance.now();
      const why = await this.#send(fuzzed);
      if (why === undefined) answered(fuzzed, 0, performance.now() - startMs);
      else unanswered(fuzzed, why);
    }
  }

  /** @returns why the connection did not end; undefined when it did */
  #send({ body }: FuzzCase): Promise<string | undefined> {
    const socket = connect({ ...this.#options.address, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.resume();
    socket.end(body);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        socket.destroy();
        resolve(`the connection did not end within ${silentMs} ms`);
      }, silentMs);
      socket.on('end', () => socket.destroy());
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}
