import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';

/**
 * Questions that wait for the one thread that answers them. One is answered at a time. The queue is bounded, for
 * each project and in all; a question beyond the bound is refused. Projects take turns, so that one project with
 * many questions delays another one by a single answer. A question that equals a waiting one shares its answer. It
 * does not share the answer under way, whose snapshot may be older than a call that was acknowledged since.
 */
export interface Job<T> {
  project: string;
  /** Jobs of a project with equal keys have equal answers. */
  key: string;
  /** Starts the work. */
  run(): Promise<T>;
  /** Nobody waits for the work under way any more: it may reject early. */
  abandon(): void;
}

/** One asker's part in a job. */
export interface Asked<T> {
  /** Undefined when this asker left before the answer was there. */
  answer: Promise<T | undefined>;
  /** The asker needs no answer any more. A job that all its askers left is dropped. */
  leave(): void;
}

export interface QueueBounds {
  waiting: number;
  waitingPerProject: number;
}

export type QueueOutcome = 'answered' | 'shared' | 'abandoned' | 'refused';

interface Asker {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

interface Entry {
  job: Job<unknown>;
  askers: Set<Asker>;
}

export class AnswerQueue {
  /** Waiting jobs by key, of each project that has any; the project whose turn is next comes first. */
  readonly #waiting = new Map<string, Map<string, Entry>>();
  #length = 0;
  #running: Entry | undefined;
  /** Moving average of the time of one answer. */
  #answerMs = 100;
  readonly #bounds: QueueBounds;
  readonly #count: (outcome: QueueOutcome) => void;

  constructor(
    count: (outcome: QueueOutcome) => void = () => {},
    bounds: QueueBounds = {
      waiting: limits.waitingQueries,
      waitingPerProject: limits.waitingQueriesPerProject,
    },
  ) {
    this.#count = count;
    this.#bounds = bounds;
  }

  /** Jobs that wait, without the one that is answered now. */
  get length(): number {
    return this.#length;
  }

  /** @throws AppError `throttled` when the queue is full */
  ask<T>(job: Job<T>): Asked<T> {
    const entry = this.#sharedEntry(job.project, job.key) ?? this.#add(job);
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    const asker: Asker = { resolve: resolve as Asker['resolve'], reject };
    entry.askers.add(asker);
    this.#startNext();
    return { answer: promise, leave: () => this.#leave(entry, asker) };
  }

  #sharedEntry(project: string, key: string): Entry | undefined {
    const entry = this.#waiting.get(project)?.get(key);
    if (entry !== undefined) this.#count('shared');
    return entry;
  }

  #add(job: Job<unknown>): Entry {
    const { project, key } = job;
    const own = this.#waiting.get(project) ?? new Map<string, Entry>();
    if (own.size >= this.#bounds.waitingPerProject) {
      const { waitingPerProject } = this.#bounds;
      const message = `${own.size} queries of this project wait for their answers; at most ${waitingPerProject} may`;
      throw this.#full(message, own.size * this.#waiting.size);
    }
    if (this.#length >= this.#bounds.waiting) {
      const message = `${this.#length} queries wait for their answers; at most ${this.#bounds.waiting} may`;
      throw this.#full(message, this.#length);
    }
    const entry: Entry = { job, askers: new Set() };
    own.set(key, entry);
    this.#waiting.set(project, own);
    this.#length += 1;
    return entry;
  }

  /** @param ahead answers until there is room */
  #full(message: string, ahead: number): AppError {
    this.#count('refused');
    const seconds = Math.ceil((ahead * this.#answerMs) / 2000);
    const retryAfterS = Math.min(Math.max(seconds, 1), limits.queryRetryAfterS);
    return new AppError('throttled', `${message}; try again in ${retryAfterS} s`, { retryAfterS });
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    const entry = this.#takeNext();
    if (entry === undefined) return;
    this.#running = entry;
    this.#run(entry);
  }

  #takeNext(): Entry | undefined {
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    const [project, own] = next;
    const [key, entry] = own.entries().next().value!;
    this.#remove(project, key);
    // To the end: every other project has its turn first.
    if (own.size > 0) {
      this.#waiting.delete(project);
      this.#waiting.set(project, own);
    }
    return entry;
  }

  #remove(project: string, key: string): void {
    const own = this.#waiting.get(project)!;
    own.delete(key);
    if (own.size === 0) this.#waiting.delete(project);
    this.#length -= 1;
  }

  async #run(entry: Entry): Promise<void> {
    const startMs = performance.now();
    try {
      const answer = await entry.job.run();
      this.#count('answered');
      this.#settle(entry, ({ resolve }) => resolve(answer));
    } catch (error) {
      this.#settle(entry, ({ reject }) => reject(error));
    } finally {
      this.#answerMs += (performance.now() - startMs - this.#answerMs) / 8;
      this.#running = undefined;
      this.#startNext();
    }
  }

  #settle({ askers }: Entry, settle: (asker: Asker) => void): void {
    for (const asker of askers) settle(asker);
    askers.clear();
  }

  #leave(entry: Entry, asker: Asker): void {
    if (!entry.askers.delete(asker)) return;
    asker.resolve(undefined);
    if (entry.askers.size > 0) return;
    this.#count('abandoned');
    const { project, key } = entry.job;
    if (this.#waiting.get(project)?.get(key) === entry) this.#remove(project, key);
    else if (this.#running === entry) entry.job.abandon();
  }
}
