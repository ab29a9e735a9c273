import { randomBytes } from 'node:crypto';
import { CallDictionary } from '../../call.ts';
import type { RetentionPeriods } from '../../config/retention.ts';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import type { RouteDeclaration } from '../live-routes.ts';
import { countCalls } from '../sqlite/calls/call-tables.ts';
import { DeclaredRoutes } from '../sqlite/writer/declared-routes.ts';
import { StoreTransactions } from '../sqlite/writer/transactions.ts';
import type { ClockReading, HeldStep } from '../store-clock.ts';
import { Connection, isRefusal } from './connection.ts';
import { type Delivered, DeliveryLog } from './delivery-log.ts';
import { Replica, unknownCompactor } from './replica.ts';
import { readWatermark, writeWatermark } from './watermark.ts';

export interface CompactorOptions {
  /** `clickhouse://…` */
  url: string;
  retention: RetentionPeriods;
  keepsAddresses: boolean;
  ignoreConsumers: readonly string[];
  /** How long compacted deliveries stay, to recognise repeated ones; unless given, two hours. */
  deliveriesKeptS?: number;
}

/** Another process that compacts is given this long between two steps while deliveries wait. */
const leaseS = 5;
/** And so long while none waits: it keeps store time every minute. */
const idleLeaseS = 150;
const purgeEveryS = 30;
const noSuchPart = 232;
/** Compaction and deletion of one step: a report's snapshot waits for none of it, only other steps do. */
const maintenanceMs = 200;
/** A delivery is recognised for an hour. */
const deliveriesKeptS = 7200;
/** Steps of deliveries in one tick: compaction has its turn also where deliveries never end. */
const stepsPerTick = 8;

/**
 * Turns deliveries into the state, each once: the writer of the SQLite engine runs on the tables of a replica
 * (replica.ts), and each of its transactions is a step. One process compacts; the others watch its steps and one of them
 * goes on when they stop. That two compact at once costs work and changes nothing, since a step counts only where it is
 * the first of its number.
 */
export class Compactor {
  readonly #connection: Connection;
  readonly #options: CompactorOptions;
  readonly #log: DeliveryLog;
  readonly #replica: Replica;
  readonly #name = randomBytes(8).toString('hex');
  readonly #dictionary = new CallDictionary();
  readonly #onDamage: (what: string) => void;
  #transactions: StoreTransactions | undefined;
  #purging = false;
  #purgedS = Number.NEGATIVE_INFINITY;
  /** Calls that this process has counted for `{other}`, of deliveries of all collectors. */
  otherCalls = 0;
  /** The newest step that was seen, and when. */
  #seenHead = -1;
  #seenS = 0;

  constructor(options: CompactorOptions, onDamage: (what: string) => void) {
    this.#options = options;
    this.#onDamage = onDamage;
    this.#connection = new Connection(options.url);
    this.#log = new DeliveryLog(this.#connection);
    this.#replica = new Replica(this.#connection);
  }

  /** @throws AppError `conflict` when the store holds what the configuration forbids */
  async start(clock: ClockReading): Promise<void> {
    await this.#replica.exclusively(() => this.#replica.sync());
    if (!this.#options.keepsAddresses) this.#refuseAddresses();
    this.#seenS = clock.uptimeS;
    await this.#alone(async () => {
      if (await this.#isMine(clock)) await this.#step(clock, () => undefined);
    });
  }

  get held(): HeldStep | undefined {
    return this.#transactions?.held;
  }

  /** What is due. @returns whether this process compacts */
  tick(clock: ClockReading): Promise<boolean> {
    return this.#alone(async () => {
      await this.#replica.sync();
      if (!(await this.#isMine(clock))) return false;
      await this.#deliver(clock, stepsPerTick);
      await this.#maintain(clock, maintenanceMs);
      await this.#dropDeliveries();
      return true;
    });
  }

  /** Everything that was delivered is rolled up. */
  rollUp(clock: ClockReading): Promise<void> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      await this.#step(clock, (transactions, nowS) => transactions.rollUp(nowS));
    });
  }

  /** Everything that was delivered is rolled up and compacted. */
  compact(clock: ClockReading): Promise<void> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      await this.#step(clock, (transactions, nowS) => {
        transactions.rollUp(nowS);
        while (transactions.compactOne(nowS, true));
      });
    });
  }

  /** Deletes what is older than the retention says, as of a time. */
  purge(clock: ClockReading, asOfS: number): Promise<void> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      await this.#step(clock, (transactions) => {
        transactions.beginPurge(asOfS);
        while (transactions.purgeStep(asOfS));
      });
    });
  }

  /** Takes routes that services declare into the state. */
  declare({ wallS }: ClockReading, declarations: readonly RouteDeclaration[]): Promise<void> {
    const { db } = this.#replica;
    return this.#alone(() =>
      this.#replica.commit(() => new DeclaredRoutes(db).take(declarations, wallS * 1000)),
    );
  }

  /** Writes the state, with every delivery, into a new file of the SQLite engine. */
  copyTo(clock: ClockReading, path: string): Promise<void> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      await this.#replica.sync();
      await this.#replica.db.copyTo(path);
    });
  }

  /** Takes every delivery into the state, and the state into its table. @returns the newest step */
  settle(clock: ClockReading): Promise<number> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      return this.#replica.copyAll();
    });
  }

  /** Calls in the state and in deliveries. */
  rawCalls(clock: ClockReading): Promise<number> {
    return this.#alone(async () => {
      await this.#deliver(clock);
      return countCalls(this.#replica.db);
    });
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      this.#replica.close();
      this.#connection.close();
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#replica.exclusively(work);
  }

  /** Whether this process may compact: it did last, or nobody does. */
  async #isMine({ uptimeS }: ClockReading): Promise<boolean> {
    const { head, compactor } = this.#replica;
    if (head !== this.#seenHead) {
      this.#seenHead = head;
      this.#seenS = uptimeS;
    }
    const isFree = compactor === '' || compactor === unknownCompactor;
    if (compactor === this.#name || isFree) return true;
    const silentS = uptimeS - this.#seenS;
    if (silentS < leaseS) return false;
    return silentS >= idleLeaseS || (await this.#log.waiting(readWatermark(this.#replica.db))) > 0;
  }

  /** Takes the deliveries that wait into the state. */
  async #deliver(clock: ClockReading, most = Number.POSITIVE_INFINITY): Promise<void> {
    for (let isMore = true, left = most; isMore && left > 0; left -= 1) {
      await this.#replica.sync();
      const watermark = readWatermark(this.#replica.db);
      const delivered = await this.#log.after(watermark, this.#dictionary);
      for (const what of delivered.damaged) this.#onDamage(what);
      isMore = delivered.isMore;
      if (delivered.watermark === watermark) return;
      const taken = await this.#step(clock, (transactions, nowS) =>
        this.#append(transactions, delivered, watermark, nowS),
      );
      // Another process was first: they are read again, from its watermark on.
      if (taken === undefined) isMore = true;
      else this.otherCalls += taken.otherCalls;
    }
  }

  /** @returns undefined when another process has changed the state since the deliveries were read */
  #append(
    transactions: StoreTransactions,
    { batch, dimensions, watermark }: Delivered,
    before: number,
    nowS: number,
  ): { otherCalls: number } | undefined {
    const { db } = this.#replica;
    const isStale = dimensions.epoch !== this.#dictionary.epoch;
    if (isStale || readWatermark(db) !== before) return undefined;
    const weights = batch.weights.length > 0 ? batch.weights : undefined;
    const { columns, deliveries, notes } = batch;
    const taken = transactions.append(columns, weights, deliveries, dimensions, nowS, [], notes);
    writeWatermark(db, watermark);
    return taken;
  }

  async #maintain(clock: ClockReading, mostMs: number): Promise<void> {
    await this.#step(clock, (transactions, nowS) => {
      const untilMs = performance.now() + mostMs;
      transactions.keepTime(limits.clockStoredS);
      transactions.rollUpIfDue(nowS);
      if (Math.abs(nowS - this.#purgedS) >= purgeEveryS) {
        this.#purgedS = nowS;
        transactions.beginPurge(nowS);
        this.#purging = true;
      }
      while (performance.now() < untilMs && transactions.compactOne(nowS));
      while (performance.now() < untilMs && this.#purging) {
        this.#purging = transactions.purgeStep(nowS);
      }
    });
  }

  /** Parts of which every row is old and delivered: a part never changes, so no new delivery can be in it. */
  async #dropDeliveries(): Promise<void> {
    const parts = await this.#connection.rows<{ name: string }>(
      `SELECT name FROM system.parts WHERE database = {database:String} AND table = 'delivery' AND active
         AND max_block_number <= {watermark:Int64} AND modification_time <= now() - {kept:UInt32} LIMIT 20`.replace(
        /\s+/g,
        ' ',
      ),
      {
        database: this.#connection.database,
        watermark: readWatermark(this.#replica.db),
        kept: this.#options.deliveriesKeptS ?? deliveriesKeptS,
      },
    );
    for (const { name } of parts) {
      try {
        await this.#connection.run('ALTER TABLE delivery DROP PART {name:String}', { name });
      } catch (error) {
        // It was merged with another one meanwhile.
        if (!isRefusal(error, noSuchPart)) throw error;
      }
    }
  }

  /** Runs a transaction of the writer as a step. */
  async #step<T>(
    clock: ClockReading,
    work: (transactions: StoreTransactions, nowS: number) => T,
  ): Promise<T> {
    let attempts = 0;
    try {
      return await this.#replica.commit(() => {
        attempts += 1;
        // What the transactions remember is of the rows only while no other process compacts, and no step is lost.
        const isOwn = this.#replica.compactor === this.#name && attempts === 1;
        if (this.#transactions && !isOwn) this.#forget();
        this.#transactions ??= this.#open(clock);
        return work(this.#transactions, this.#transactions.nowS(clock));
      }, this.#name);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #open(clock: ClockReading): StoreTransactions {
    const { retention, ignoreConsumers } = this.#options;
    const free = (): void => {};
    const hold = { check: free, checkFile: free, answer: free, close: free };
    const place = { db: this.#replica.db, hold };
    return new StoreTransactions(place, retention, clock, true, ignoreConsumers, this.#onDamage);
  }

  /** What is in memory of a transaction that was not committed. */
  #forget(): void {
    this.#transactions = undefined;
    this.#dictionary.reset();
  }

  #refuseAddresses(): void {
    const full = this.#replica.db.prepare(
      `SELECT 1 FROM client WHERE address NOT LIKE '%/%' AND address NOT LIKE 'h:%' AND address NOT LIKE '{%' LIMIT 1`,
    );
    if (full.get() === undefined) return;
    throw new AppError(
      'conflict',
      `${this.#connection.name} holds full addresses of clients from earlier times, and this version cannot take them out of ClickHouse: use another database, or ROLLCALL_CLIENT_PRIVACY=full`,
    );
  }
}
