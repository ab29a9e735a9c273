import type { Worker } from 'node:worker_threads';
import { AppError } from './error.ts';

/**
 * The requests to a worker thread that wait for their answers. A request's id is in its answer. When the thread ends,
 * every waiting request and every later one fails with AppError `unavailable`.
 */
export class ThreadRequests<Answer> {
  /** Resolves with the reason when the thread ends although `close` was not called. */
  readonly lost: Promise<Error>;
  readonly #worker: Worker;
  readonly #name: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;
  #ended: AppError | undefined;
  #isClosing = false;

  /** @param name of the thread, for messages: `the store's writer` */
  constructor(worker: Worker, name: string) {
    this.#worker = worker;
    this.#name = name;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.lost = promise;
    worker.on('error', (error) => this.#end(error as Error, resolve));
    worker.on('exit', () => this.#end(new Error('it ended'), resolve));
  }

  /** @param send posts the request with the id that it gets */
  ask(send: (id: number) => void): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    const answer = this.expect(id);
    send(id);
    return answer;
  }

  /** The answer of an id that the thread gives without a request: 0 when it has started. */
  expect(id: number): Promise<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    return waiting.promise;
  }

  resolve(id: number, answer: Answer): void {
    this.#waiting.get(id)?.resolve(answer);
    this.#waiting.delete(id);
  }

  reject(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  /** Asks the thread to end, and waits until it has. @param send posts the request with the id that it gets */
  async close(send: (id: number) => void): Promise<void> {
    if (this.#ended) return;
    this.#isClosing = true;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.ask(send);
    await exited;
  }

  #end(error: Error, lose: (reason: Error) => void): void {
    const message = `${this.#name} is gone: ${error.message}`;
    this.#ended ??= new AppError('unavailable', message, { cause: error });
    if (!this.#isClosing) lose(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
