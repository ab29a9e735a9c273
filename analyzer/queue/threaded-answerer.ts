import { Worker } from 'node:worker_threads';
import type { Config } from '../../core/config/config.ts';
import { AppError, type AppErrorOptions } from '../../core/error.ts';
import type { WrittenAnswer } from '../query/written-answer.ts';
import type {
  AnswerThreadStart,
  ThreadAnswer,
  ThreadError,
  ThreadRequest,
  ThreadResult,
} from './answer-thread.ts';
import type { Answerer, AnswererOptions, CommandQuestion, Question } from './answerer.ts';

/** The heap's young generation on the answering thread. A report of 1,000 endpoints makes 12 MB of rows and text; with
 *  Node's default of 48 MB most of it was promoted to old space (docs/decisions/0014-answers-off-the-event-loop.md). */
const youngGenerationMb = 192;

/**
 * Answers on a thread of its own, which owns the store's reader and its caches: the caller's event loop computes no
 * report. The bytes of an answer change hands without a copy.
 */
export class ThreadedAnswerer implements Answerer {
  readonly lost: Promise<Error>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<ThreadResult>>();
  readonly #abandoned = new Int32Array(new SharedArrayBuffer(4));
  readonly #damaged = new Int32Array(new SharedArrayBuffer(4));
  #lastId = 0;
  /** Of the answer under way. */
  #answerId = 0;
  #ended: Error | undefined;
  #closing = false;

  constructor(store: Config['store'], options: AnswererOptions) {
    const workerData: AnswerThreadStart = {
      ...options,
      store,
      abandoned: this.#abandoned.buffer as SharedArrayBuffer,
      damaged: this.#damaged.buffer as SharedArrayBuffer,
    };
    this.#worker = new Worker(new URL('./answer-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.lost = promise;
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error as Error, resolve));
    this.#worker.on('exit', () => this.#end(new Error('it ended'), resolve));
  }

  async answer(question: Question): Promise<WrittenAnswer> {
    return (await this.#ask({ kind: 'answer', question })) as WrittenAnswer;
  }

  command(question: CommandQuestion): Promise<WrittenAnswer | undefined> {
    return this.#ask({ kind: 'command', question });
  }

  abandon(): void {
    Atomics.store(this.#abandoned, 0, this.#answerId);
  }

  damagedRows(): number {
    return Atomics.load(this.#damaged, 0);
  }

  async check(): Promise<void> {
    await this.#ask({ kind: 'check' });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#closing = true;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.#ask({ kind: 'close' });
    await exited;
  }

  #ask(request: Unnumbered<ThreadRequest>): Promise<ThreadResult> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    if (request.kind === 'answer') this.#answerId = id;
    const waiting = Promise.withResolvers<ThreadResult>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, ...request });
    return waiting.promise;
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(errorOf(answer.error));
    else waiting?.resolve(answer.result);
  }

  #end(error: Error, lose: (reason: Error) => void): void {
    this.#ended ??= new AppError('unavailable', `the answering thread is gone: ${error.message}`, {
      cause: error,
    });
    if (!this.#closing) lose(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

type Unnumbered<R> = R extends { id: number } ? Omit<R, 'id'> : never;

function errorOf({ code, message, field, retryAfterS, stack }: ThreadError): Error {
  if (code === 'internal')
    return Object.assign(new Error(message), stack !== undefined && { stack });
  const options: AppErrorOptions = {
    ...(field !== undefined && { field }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  };
  return new AppError(code, message, options);
}
