import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { CallBatch, type EndpointName, type NewDimensions } from '../../call.ts';
import { AppError, type ErrorCode } from '../../error.ts';
import { limits } from '../../limits.ts';
import { ThreadRequests } from '../../thread-requests.ts';
import type { StoreNotice } from '../notices.ts';
import type { AppendOutcome, CallWriter } from '../store.ts';
import type { ClockReading, HeldStep } from '../store-clock.ts';
import type { CompactorOptions } from './compactor.ts';
import type { CompactorAnswer, CompactorRequest, CompactorStart } from './compactor-thread.ts';
import { Connection } from './connection.ts';
import { type BesideCalls, DeliveryEncoder } from './delivery-body.ts';
import { DeliveryLog, type DeliveryRow } from './delivery-log.ts';
import { KnownDeliveries } from './known-deliveries.ts';
import { RowBinaryWriter } from './row-binary.ts';
import { makeTables } from './tables.ts';

export interface ClickhouseWriterOptions extends CompactorOptions {
  /** The machine's clock, milliseconds since the epoch. */
  now?: () => number;
  onHeldStep?: (held: HeldStep | undefined) => void;
  onNotice?: (notice: StoreNotice) => void;
}

/** A writer whose background work can be done at once: for tests. */
export interface ClickhouseCallWriter extends CallWriter {
  /** Everything appended is rolled up and compacted. */
  compact(): Promise<void>;
  purge(nowS: number): Promise<void>;
  rawCalls(): Promise<number>;
}

/** @throws AppError `conflict` when another release wrote the store, `unavailable` */
export async function openClickhouseWriter(
  options: ClickhouseWriterOptions,
): Promise<ClickhouseCallWriter> {
  const connection = new Connection(options.url);
  try {
    await makeTables(connection);
    const writer = new ClickhouseWriter(connection, options);
    await writer.started;
    await writer.keepUp();
    return writer;
  } catch (error) {
    connection.close();
    throw error;
  }
}

const tickMs = 1_000;
/** Compaction that fails for so long makes this process unready: reports get slower meanwhile, and nothing is lost. */
const failingMsMost = 60_000;

/**
 * Writes deliveries, one INSERT for each batch; any number of processes may do so. Its thread (compactor.ts) takes the
 * deliveries of all of them into the state while no other process does.
 */
class ClickhouseWriter implements ClickhouseCallWriter {
  readonly started: Promise<unknown>;
  readonly lost: Promise<Error>;
  heldStep: HeldStep | undefined;
  readonly damaged: string[] = [];
  laterOtherCalls = 0;
  readonly #connection: Connection;
  readonly #log: DeliveryLog;
  readonly #known: KnownDeliveries;
  readonly #process = randomBytes(8).toString('hex');
  readonly #encoder = new DeliveryEncoder();
  /** Pairs of spellings that are in no INSERT yet. */
  #sideBySide: [EndpointName, EndpointName][] = [];
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #onHeldStep: (held: HeldStep | undefined) => void;
  readonly #onNotice: (notice: StoreNotice) => void;
  readonly #worker: Worker;
  readonly #requests: ThreadRequests<Done>;
  readonly #ticks: NodeJS.Timeout;
  #ticking = false;
  /** Since when compaction fails, and why. */
  #failing: { sinceMs: number; message: string } | undefined;

  constructor(connection: Connection, options: ClickhouseWriterOptions) {
    const { now, onHeldStep = () => {}, onNotice = () => {}, ...compactor } = options;
    this.#connection = connection;
    this.#log = new DeliveryLog(connection);
    this.#known = new KnownDeliveries(this.#log);
    this.#now = now ?? Date.now;
    this.#uptime = now ?? (() => performance.now());
    this.#onHeldStep = onHeldStep;
    this.#onNotice = onNotice;
    const start: CompactorStart = { ...compactor, clock: this.#clock() };
    this.#worker = new Worker(new URL('./compactor-thread.ts', import.meta.url), {
      workerData: start,
    });
    this.#requests = new ThreadRequests(this.#worker, "the store's compactor");
    this.lost = this.#requests.lost;
    this.started = this.#requests.expect(0);
    this.#worker.on('message', (answer: CompactorAnswer) => this.#settle(answer));
    this.#worker.on('exit', () => clearInterval(this.#ticks));
    this.#ticks = setInterval(() => this.#tick(), tickMs);
  }

  /** Reads which deliveries are known: the first request does not wait for it. */
  async keepUp(): Promise<void> {
    await this.#known.keepUp(Math.floor(this.#now() / 1000));
  }

  newBatch(): CallBatch {
    return new CallBatch();
  }

  async append(batch: CallBatch, dimensions: NewDimensions): Promise<AppendOutcome> {
    const startedMs = performance.now();
    this.#learn(dimensions);
    const receivedS = Math.floor(this.#now() / 1000);
    const { declarations } = batch;
    // Rare, and a step of its own: they are in effect at once, whoever compacts.
    if (declarations.length > 0) await this.#ask({ kind: 'declare', declarations });
    const stored = await this.#known.areNew(batch.deliveries, receivedS);
    const rows: DeliveryRow[] = [];
    batch.deliveries.forEach((delivery, i) => {
      if (!stored[i]) return;
      const { project, digest, calls } = delivery;
      rows.push({ project, digest, calls, body: this.#encoder.encode(batch, delivery) });
    });
    const sideBySide = this.#sideBySide;
    const { endpoints } = this.#encoder.words;
    const notes = batch.notes.map(({ endpoint, traits }): BesideCalls['notes'][number] => [
      endpoints[endpoint - 1]!,
      traits,
    ]);
    await this.#log.insert(rows, { sideBySide, notes }, receivedS);
    this.#known.add(rows, receivedS);
    this.#sideBySide = this.#sideBySide.slice(sideBySide.length);
    // Whether a service has reached its bound of endpoints is decided when the delivery is compacted: laterOtherCalls.
    return { stored, otherCalls: 0, commitSeconds: (performance.now() - startedMs) / 1000 };
  }

  #learn(dimensions: NewDimensions): void {
    const { words } = this.#encoder;
    words.learn(dimensions);
    for (const [a, b] of dimensions.sideBySide) {
      this.#sideBySide.push([words.endpoints[a - 1]!, words.endpoints[b - 1]!]);
    }
  }

  async check(): Promise<void> {
    if (this.#failing && performance.now() - this.#failing.sinceMs > failingMsMost) {
      const { message } = this.#failing;
      throw new AppError('unavailable', `deliveries are not compacted: ${message}`);
    }
    const row = new RowBinaryWriter();
    row.text(this.#process);
    row.uint32(Math.floor(this.#now() / 1000));
    await this.#connection.insert('proof', ['process', 'at_s'], row.bytes);
  }

  async compact(): Promise<void> {
    await this.#ask({ kind: 'compact' });
  }

  async purge(nowS: number): Promise<void> {
    await this.#ask({ kind: 'purge', asOfS: nowS });
  }

  async rawCalls(): Promise<number> {
    return (await this.#ask({ kind: 'count' })).rawCalls!;
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks);
    await this.#requests.close((id) => this.#send(id, { kind: 'close' }));
    this.#connection.close();
  }

  /** One at a time. A tick that fails is tried again: deliveries wait in the store, and readers read them there. */
  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#ask({ kind: 'tick' })
      .then(
        () => {
          this.#failing = undefined;
        },
        ({ message }: Error) => {
          const sinceMs = this.#failing?.sinceMs ?? performance.now();
          this.#failing = { sinceMs, message };
        },
      )
      .finally(() => {
        this.#ticking = false;
      });
  }

  #ask(request: Unsent): Promise<Done> {
    return this.#requests.ask((id) => this.#send(id, request));
  }

  #send(id: number, request: Unsent): void {
    this.#worker.postMessage({ id, clock: this.#clock(), ...request });
  }

  #settle(answer: CompactorAnswer): void {
    if ('damaged' in answer) {
      if (this.damaged.includes(answer.damaged)) return;
      if (this.damaged.length < limits.damagedNames) this.damaged.push(answer.damaged);
      this.#onNotice(answer);
      return;
    }
    if ('error' in answer) {
      const { code, message } = answer.error;
      this.#requests.reject(answer.id, new AppError(code as ErrorCode, message));
      return;
    }
    const isChange = (this.heldStep === undefined) !== (answer.held === undefined);
    this.heldStep = answer.held;
    this.laterOtherCalls = answer.otherCalls ?? this.laterOtherCalls;
    if (isChange) this.#onHeldStep(answer.held);
    this.#requests.resolve(answer.id, answer);
  }

  #clock(): ClockReading {
    return { wallS: this.#now() / 1000, uptimeS: this.#uptime() / 1000 };
  }
}

type Done = Extract<CompactorAnswer, { rawCalls?: number }>;

type Unsent = CompactorRequest extends infer R
  ? R extends { id: number }
    ? Omit<R, 'id' | 'clock'>
    : never
  : never;
