import { Worker } from 'node:worker_threads';
import { AppError, asAppError, type ErrorCode } from '../../core/error.ts';
import type { LargeJsonAnswer, LargeJsonRequest } from './large-json-thread.ts';
import type { UnstoredSignal } from './other-signals.ts';

/**
 * Parses large JSON bodies on one thread, one after another, so that 64 MiB of JSON do not block the event loop
 * for a second. The first body starts the thread.
 */
export class LargeJson {
  #thread: Worker | undefined;
  readonly #waiting: Job[] = [];

  /** @returns the ExportTraceServiceRequest as protobuf. @throws AppError `invalid` */
  traces(body: Buffer): Promise<Buffer> {
    return this.#ask({ kind: 'traces', body: copied(body) }).then(({ message }) => {
      return Buffer.from(message!.buffer, message!.byteOffset, message!.length);
    });
  }

  /** @returns what the request of a signal that is not stored holds. @throws AppError as above */
  count(signal: UnstoredSignal, body: Buffer): Promise<number> {
    return this.#ask({ kind: signal, body: copied(body) }).then(({ count }) => count!);
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #ask(request: LargeJsonRequest): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === 1) this.#send();
    });
  }

  /** Hands the oldest job to the thread; it stays at the head until it is settled. */
  #send(): void {
    const job = this.#waiting[0];
    if (job === undefined) return;
    this.#thread ??= this.#start();
    const { request } = job;
    this.#thread.postMessage(request, [request.body.buffer as ArrayBuffer]);
  }

  #start(): Worker {
    const thread = new Worker(new URL('./large-json-thread.ts', import.meta.url));
    thread.unref();
    thread.on('message', (answer: LargeJsonAnswer) => {
      if ('code' in answer) {
        const { code, message, field } = answer;
        const options = field === undefined ? {} : { field };
        this.#settle((job) => job.reject(new AppError(code as ErrorCode, message, options)));
      } else {
        this.#settle((job) => job.resolve(answer));
      }
    });
    thread.on('error', (cause) => {
      this.#thread = undefined;
      this.#settle((job) => job.reject(asAppError(cause)));
    });
    return thread;
  }

  #settle(settle: (job: Job) => void): void {
    const job = this.#waiting.shift();
    if (job !== undefined) settle(job);
    this.#send();
  }
}

type Answered = Exclude<LargeJsonAnswer, { code: string }>;

interface Job {
  request: LargeJsonRequest;
  resolve(answer: Answered): void;
  reject(error: AppError): void;
}

/** A copy that can be given away: the body's own memory goes back to a pool. */
function copied(body: Buffer): Uint8Array {
  return new Uint8Array(body);
}
