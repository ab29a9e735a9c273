import { Worker } from 'node:worker_threads';
import { CallBatch, callColumns, type NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import { AppError, type ErrorCode } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import { ThreadRequests } from '../../../thread-requests.ts';
import type { Conversion, StoreNotice } from '../../notices.ts';
import type { AppendOutcome, CallWriter } from '../../store.ts';
import type { ClockReading, HeldStep } from '../../store-clock.ts';
import type { Stages } from './transactions.ts';
import type { WriterAnswer, WriterRequest, WriterStart } from './writer-thread.ts';

export interface SqliteWriterOptions {
  /** The file, made where absent, with its folder. */
  path: string;
  retention: RetentionPeriods;
  /** False: full addresses of clients that the file holds from earlier times are taken out of it. */
  keepsAddresses?: boolean;
  /** Globs over the consumers whose calls keep no endpoint alive; none when absent. */
  ignoreConsumers?: readonly string[];
  /** The machine's clock, milliseconds since the epoch. */
  now?: () => number;
  /** Milliseconds by a clock that never steps; unless given, `now` where a test gives it, else the process's own. */
  uptime?: () => number;
  /** Called when the machine's clock steps ahead of store time (core/store/store-clock.ts), and when store time has
   *  taken the step or the clock came back. */
  onHeldStep?: (held: HeldStep | undefined) => void;
  /** Called for each row that is damaged, once, and as the conversion of an older release's calls goes on. */
  onNotice?: (notice: StoreNotice) => void;
}

/**
 * The store's writer, on a thread of its own that owns the connection: the caller's event loop never waits
 * for the disk.
 * @throws AppError `conflict` when another collector writes the store or a newer program wrote it,
 *   `unavailable` when the file cannot be opened
 */
export async function openSqliteWriter(options: SqliteWriterOptions): Promise<SqliteCallWriter> {
  const writer = new SqliteWriter(options);
  await writer.started;
  return writer;
}

/** A writer whose background work can be done at once: for tests and benches. */
export interface SqliteCallWriter extends CallWriter {
  /** Does what is due by now: the writer does it by itself once a second. */
  tick(): Promise<void>;
  /** Rolls up every call. */
  rollUp(): Promise<void>;
  /** Rolls up every call and compacts every shard. */
  compact(): Promise<void>;
  /** Deletes what is older than the retention says, as of `nowS`, whatever the clock says. */
  purge(nowS: number): Promise<void>;
  /** Where the calls are. */
  stages(): Promise<Stages>;
}

const tickMs = 1_000;

/** Calls that a first batch has room for; it grows. */
const firstBatchCalls = 4096;
const bytesPerCall = callColumns(1).buffer.byteLength;

/** Usage blocks lie outside the heap and are freed by minor GCs, which a small young generation makes frequent. With
 *  Node's default of 48 MB tens of megabytes of unused blocks pile up. */
const youngGenerationMb = 6;

class SqliteWriter implements SqliteCallWriter {
  readonly started: Promise<unknown>;
  readonly #worker: Worker;
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #ticks: NodeJS.Timeout;
  #ticking = false;
  heldStep: HeldStep | undefined;
  conversion: Conversion | undefined;
  readonly damaged: string[] = [];
  readonly #onNotice: (notice: StoreNotice) => void;
  readonly #onHeldStep: (held: HeldStep | undefined) => void;
  readonly #requests: ThreadRequests<Done>;
  /** Columns of a committed batch, which the worker thread gave back. */
  #freeColumns: ArrayBuffer | undefined;
  readonly lost: Promise<Error>;

  constructor(options: SqliteWriterOptions) {
    const { path, retention, keepsAddresses = true, ignoreConsumers = [] } = options;
    this.#now = options.now ?? Date.now;
    this.#uptime = options.uptime ?? options.now ?? (() => performance.now());
    this.#onHeldStep = options.onHeldStep ?? (() => {});
    this.#onNotice = options.onNotice ?? (() => {});
    const clock = this.#clock();
    const start: WriterStart = { path, retention, clock, keepsAddresses, ignoreConsumers };
    this.#worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    this.#requests = new ThreadRequests(this.#worker, "the store's writer");
    this.lost = this.#requests.lost;
    this.started = this.#requests.expect(0);
    this.#worker.on('message', (answer: WriterAnswer) => this.#settle(answer));
    this.#worker.on('exit', () => clearInterval(this.#ticks));
    this.#ticks = setInterval(() => this.#tick(), tickMs);
  }

  newBatch(): CallBatch {
    const columns = this.#freeColumns;
    this.#freeColumns = undefined;
    if (columns === undefined) return new CallBatch(callColumns(firstBatchCalls));
    return new CallBatch(callColumns(Math.floor(columns.byteLength / bytesPerCall), columns));
  }

  async append(batch: CallBatch, dimensions: NewDimensions): Promise<AppendOutcome> {
    const { buffer, capacity } = batch.columns;
    const { deliveries, declarations, notes } = batch;
    const weights = batch.weights.length > 0 ? batch.weights : undefined;
    const answer = await this.#ask(
      { kind: 'append', buffer, capacity, weights, deliveries, declarations, notes, dimensions },
      [buffer],
    );
    this.#freeColumns = answer.buffer;
    return {
      stored: answer.stored!,
      otherCalls: answer.otherCalls!,
      commitSeconds: answer.seconds,
    };
  }

  async tick(): Promise<void> {
    await this.#ask({ kind: 'tick', whole: true });
  }

  async rollUp(): Promise<void> {
    await this.#ask({ kind: 'rollUp' });
  }

  async stages(): Promise<Stages> {
    return (await this.#ask({ kind: 'stages' })).stages!;
  }

  async compact(): Promise<void> {
    await this.#ask({ kind: 'compact' });
  }

  async purge(nowS: number): Promise<void> {
    await this.#ask({ kind: 'purge', asOfS: nowS });
  }

  async check(): Promise<void> {
    await this.#ask({ kind: 'check' });
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks);
    await this.#requests.close((id) => this.#send(id, { kind: 'close' }));
  }

  /** One at a time: a thread that is busy for seconds gets no queue of ticks. */
  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    const done = () => {
      this.#ticking = false;
    };
    this.#ask({ kind: 'tick', whole: false }).then(done, done);
  }

  #ask(request: Unsent, transfer: ArrayBuffer[] = []): Promise<Done> {
    return this.#requests.ask((id) => this.#send(id, request, transfer));
  }

  #send(id: number, request: Unsent, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage({ id, clock: this.#clock(), ...request }, transfer);
  }

  #settle(answer: WriterAnswer): void {
    if ('held' in answer) {
      const isChange = (this.heldStep === undefined) !== (answer.held === undefined);
      this.heldStep = answer.held;
      if (isChange) this.#onHeldStep(answer.held);
      return;
    }
    if ('conversion' in answer) {
      this.conversion = answer.conversion;
      this.#onNotice(answer);
      return;
    }
    if ('damaged' in answer) {
      if (this.damaged.includes(answer.damaged)) return;
      if (this.damaged.length < limits.damagedNames) this.damaged.push(answer.damaged);
      this.#onNotice(answer);
      return;
    }
    if ('error' in answer) {
      const { code, message } = answer.error;
      this.#requests.reject(answer.id, new AppError(code as ErrorCode, message));
    } else {
      this.#requests.resolve(answer.id, answer);
    }
  }

  #clock(): ClockReading {
    return { wallS: this.#now() / 1000, uptimeS: this.#uptime() / 1000 };
  }
}

type Unsent = WriterRequest extends infer R
  ? R extends { id: number }
    ? Omit<R, 'id' | 'clock'>
    : never
  : never;

type Done = Extract<WriterAnswer, { seconds: number }>;
