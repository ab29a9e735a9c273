import { Worker } from 'node:worker_threads';
import type { Config } from '../../core/config/config.ts';
import { analyzerMemory, serviceMemoryBytes } from '../../core/config/memory.ts';
import { AppError, type AppErrorOptions } from '../../core/error.ts';
import { ThreadRequests } from '../../core/thread-requests.ts';
import type { WrittenAnswer } from '../query/written-answer.ts';
import type {
  AnswerThreadStart,
  ThreadAnswer,
  ThreadError,
  ThreadRequest,
  ThreadResult,
} from './answer-thread.ts';
import type { Answerer, AnswererOptions, CommandQuestion, Question } from './answerer.ts';

/**
 * Answers on a thread of its own, which owns the store's reader and its caches: the caller's event loop computes no
 * report. The bytes of an answer change hands without a copy.
 */
export class ThreadedAnswerer implements Answerer {
  readonly lost: Promise<Error>;
  readonly #worker: Worker;
  readonly #requests: ThreadRequests<ThreadResult>;
  readonly #abandoned = new Int32Array(new SharedArrayBuffer(4));
  readonly #damaged = new Int32Array(new SharedArrayBuffer(4));
  /** Of the answer under way. */
  #answerId = 0;

  constructor(
    store: Config['store'],
    options: AnswererOptions,
    memoryBytes: number = serviceMemoryBytes(),
  ) {
    const memory = analyzerMemory(memoryBytes);
    const workerData: AnswerThreadStart = {
      ...options,
      store,
      memory,
      abandoned: this.#abandoned.buffer as SharedArrayBuffer,
      damaged: this.#damaged.buffer as SharedArrayBuffer,
    };
    this.#worker = new Worker(new URL('./answer-thread.ts', import.meta.url), {
      workerData,
      // A report of 1,000 endpoints makes 12 MB of rows and text. With a young generation of Node's own size most of it
      // was promoted to old space (docs/decisions/0014-answers-off-the-event-loop.md).
      resourceLimits: {
        maxYoungGenerationSizeMb: memory.answersYoungMiB,
        maxOldGenerationSizeMb: memory.answersOldMiB,
      },
    });
    this.#requests = new ThreadRequests(this.#worker, 'the answering thread');
    this.lost = this.#requests.lost;
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
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

  close(): Promise<void> {
    return this.#requests.close((id) => this.#worker.postMessage({ id, kind: 'close' }));
  }

  #ask(request: Unnumbered<ThreadRequest>): Promise<ThreadResult> {
    return this.#requests.ask((id) => {
      if (request.kind === 'answer') this.#answerId = id;
      this.#worker.postMessage({ id, ...request });
    });
  }

  #settle(answer: ThreadAnswer): void {
    if ('error' in answer) this.#requests.reject(answer.id, errorOf(answer.error));
    else this.#requests.resolve(answer.id, answer.result);
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
