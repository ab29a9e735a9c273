import type { CallColumns, Delivery, NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import type { EndpointNote } from '../../../endpoint-traits.ts';
import { AppError } from '../../../error.ts';
import type { WeightColumns } from '../../../weight.ts';
import type { RouteDeclaration } from '../../live-routes.ts';
import type { Conversion } from '../../notices.ts';
import { type ClockReading, type HeldStep, StoreClock } from '../../store-clock.ts';
import { lastCallId } from '../calls/call-tables.ts';
import { type Database, isSqliteError } from '../database.ts';
import { openDatabase } from '../open.ts';
import type { DamagedError } from '../sealed.ts';
import { StoreFile } from '../store-file.ts';
import { WriterLock } from '../writer-lock.ts';
import { forgetAddresses } from './address-removal.ts';
import { CallBlocks } from './call-blocks.ts';
import { CallCompaction } from './call-compaction.ts';
import { CallConversion } from './call-conversion.ts';
import { CallLog } from './call-log.ts';
import { DeclaredRoutes } from './declared-routes.ts';
import { Dimensions } from './dimensions.ts';
import { EndpointTraitRows } from './endpoint-traits.ts';
import { IgnoredConsumers } from './ignored-consumers.ts';
import { Purger } from './purger.ts';
import { Rollup } from './rollup.ts';
import { readStoreTime, writeStoreTime } from './store-time.ts';
import { UnusedDimensions } from './unused-dimensions.ts';

/** Where the calls of a store are: each is in one of the three. */
export interface Stages {
  /** Calls. */
  notRolledUp: number;
  runs: number;
  /** Blocks by the minutes of their level. */
  blocks: Record<number, number>;
}

/** Versions of services that have ended are looked for this often. */
const declaredRefreshS = 3600;
/** Calls are rolled up when the oldest has waited this long: reports read few raw calls. */
const rollUpAfterS = 2;

/**
 * The transactions of a store's one writer; writer-thread.ts calls them. Every public method that writes is one
 * transaction: committed or, when it throws, rolled back.
 */
export class StoreTransactions {
  readonly #db: Database;
  readonly #hold: WriterHold;
  readonly #dimensions: Dimensions;
  readonly #unused: UnusedDimensions;
  readonly #log: CallLog;
  readonly #rollup: Rollup;
  readonly #compaction: CallCompaction;
  readonly #conversion: CallConversion;
  readonly #purger: Purger;
  readonly #declared: DeclaredRoutes;
  readonly #traits: EndpointTraitRows;
  #declaredRefreshedS: number;
  readonly #clock: StoreClock;
  /** Store time that the file holds. */
  #keptS = 0;
  #lastCallId: number;
  #notRolledUpSinceS = 0;
  /** A transaction failed: memory may hold rows and calls that the file does not. */
  #stale = false;

  /**
   * @param place the store's file, or a database that its owner has opened and holds
   * @param keepsAddresses false: full addresses of earlier times are taken out of the file
   * @param onDamage called with the name of each row that is damaged, each time it is read
   * @param ignoreConsumers globs over the consumers whose calls keep no endpoint alive
   */
  constructor(
    place: string | HeldDatabase,
    retention: RetentionPeriods,
    clock: ClockReading,
    keepsAddresses = true,
    ignoreConsumers: readonly string[] = [],
    onDamage: (what: string) => void = () => {},
  ) {
    const { db, hold } = typeof place === 'string' ? holdFile(place) : place;
    this.#db = db;
    this.#hold = hold;
    try {
      if (!keepsAddresses) forgetAddresses(this.#db);
      this.#clock = new StoreClock(readStoreTime(this.#db), clock);
      const nowS = this.nowS(clock);
      const ignored = new IgnoredConsumers(ignoreConsumers);
      const { callsS, daysS } = retention;
      this.#unused = new UnusedDimensions(this.#db, Math.max(callsS, daysS));
      this.#dimensions = new Dimensions(this.#db, ignored, this.#unused);
      this.#log = new CallLog(this.#db, this.#dimensions, nowS);
      const noteDamage = ({ what }: DamagedError): void => onDamage(what);
      this.#rollup = new Rollup(this.#db, nowS, noteDamage);
      const blocks = new CallBlocks(this.#db);
      this.#compaction = new CallCompaction(this.#db, blocks, nowS, noteDamage);
      this.#conversion = new CallConversion(this.#db, blocks);
      this.#purger = new Purger(this.#db, retention, this.#unused);
      this.#declared = new DeclaredRoutes(this.#db);
      this.#traits = new EndpointTraitRows(this.#db, this.#dimensions);
      this.#declaredRefreshedS = nowS;
      this.#lastCallId = lastCallId(this.#db);
      this.#notRolledUpSinceS = nowS;
      this.#write(() => {
        ignored.mark(this.#db);
        this.#purger.begin(nowS);
        writeStoreTime(this.#db, this.#clock.time);
      });
      this.#keptS = nowS;
    } catch (error) {
      hold.close();
      throw cannotOpen(error, db.path);
    }
  }

  /**
   * @returns for each delivery whether it was new, and how many calls went to `{other}`
   * @throws AppError `unavailable`: nothing was written
   */
  append(
    columns: CallColumns,
    weights: WeightColumns | undefined,
    deliveries: readonly Delivery[],
    dimensions: NewDimensions,
    nowS: number,
    declarations: readonly RouteDeclaration[] = [],
    notes: readonly EndpointNote[] = [],
  ): { stored: boolean[]; otherCalls: number } {
    this.#dimensions.learn(dimensions);
    const { stored, otherCalls, lastCallId } = this.#write(() => {
      const { notRolledUp } = this.#rollup;
      this.#dimensions.keepUp(nowS);
      if (notRolledUp.length === 0) this.#notRolledUpSinceS = nowS;
      const before = notRolledUp.length;
      const stored = this.#log.append(
        columns,
        weights,
        deliveries,
        this.#lastCallId + 1,
        nowS,
        notRolledUp,
      );
      if (declarations.length > 0) this.#declared.take(declarations, nowS * 1000);
      if (notes.length > 0) this.#traits.take(notes);
      this.#dimensions.writeSideBySide();
      const otherCalls = this.#dimensions.othersAmong(
        notRolledUp.endpoint,
        before,
        notRolledUp.length,
      );
      const lastCallId = this.#lastCallId + notRolledUp.length - before;
      if (notRolledUp.full || nowS - this.#notRolledUpSinceS >= rollUpAfterS) {
        this.#rollUp(lastCallId, nowS);
      }
      return { stored, otherCalls, lastCallId };
    });
    this.#log.committed(nowS);
    this.#dimensions.committed();
    this.#lastCallId = lastCallId;
    return { stored, otherCalls };
  }

  /** Store time: every other method takes it. */
  nowS(clock: ClockReading): number {
    return this.#clock.read(clock);
  }

  /** A step of the machine's clock that store time has not taken. */
  get held(): HeldStep | undefined {
    return this.#clock.held;
  }

  /** Writes store time for the next process, when it ran for so long since the last time. */
  keepTime(afterS: number): void {
    const { time } = this.#clock;
    if (Math.abs(time.atS - this.#keptS) < afterS) return;
    this.#write(() => writeStoreTime(this.#db, time));
    this.#keptS = time.atS;
  }

  stages(): Stages {
    const count = (sql: string) => this.#db.prepare(sql).pluck().get() as number;
    const blocks = this.#db
      .prepare('SELECT level_minutes, count(*) FROM usage_block GROUP BY level_minutes')
      .raw()
      .all() as [number, number][];
    return {
      notRolledUp: this.#rollup.notRolledUp.length,
      runs: count('SELECT count(*) FROM usage_run'),
      blocks: Object.fromEntries(blocks),
    };
  }

  /** Rolls up when the oldest call that is not rolled up has waited long enough. */
  rollUpIfDue(nowS: number): void {
    const { notRolledUp } = this.#rollup;
    if (notRolledUp.length > 0 && nowS - this.#notRolledUpSinceS >= rollUpAfterS) this.rollUp(nowS);
  }

  rollUp(nowS: number): void {
    this.#write(() => this.#rollUp(this.#lastCallId, nowS));
  }

  #rollUp(lastCallId: number, nowS: number): void {
    this.#compaction.rolledUp(this.#rollup.notRolledUp.length, nowS);
    this.#rollup.rollUp(lastCallId, nowS);
  }

  /** Compacts one shard, or the calls of one block, that is due; with `all`, one that holds anything. @returns false when
   *  there is none */
  compactOne(nowS: number, all = false): boolean {
    const atS = all ? Number.MAX_SAFE_INTEGER : nowS;
    const shard = this.#rollup.dueShard(atS);
    if (shard !== undefined) {
      this.#write(() => this.#rollup.compact(shard));
      return true;
    }
    if (!this.#compaction.isDue(atS)) return false;
    this.#write(() => this.#compaction.compact(nowS));
    return true;
  }

  /** Converts some raw calls of release 0.1.0. @returns false when none is left, or none can be converted now */
  convertSome(nowS: number): boolean {
    if (!this.#conversion.isDue(nowS)) return false;
    return this.#write(() => this.#conversion.step(nowS));
  }

  get conversion(): Conversion | undefined {
    return this.#conversion.state;
  }

  beginPurge(nowS: number): void {
    this.#write(() => {
      this.#purger.begin(nowS);
      if (nowS - this.#declaredRefreshedS < declaredRefreshS) return;
      this.#declared.refresh(nowS * 1000);
      this.#declaredRefreshedS = nowS;
    });
  }

  /** Deletes a bounded number of rows. @returns false when nothing is left to do */
  purgeStep(nowS: number): boolean {
    try {
      this.#hold.check();
      const isMore = this.#purger.step(nowS);
      if (this.#unused.hasDeleted) this.#dimensions.forgetRows();
      this.#unused.hasDeleted = false;
      if (!isMore) this.#conversion.recover();
      return isMore;
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Proves that a commit is possible. The value changes each time: SQLite writes nothing for an equal one. */
  check(): void {
    this.#write(() => this.#db.exec("UPDATE meta SET value = value + 1 WHERE key = 'checks'"));
  }

  /** Tells a process that wants to write the store that there is a writer. */
  answerChallenge(): void {
    try {
      this.#hold.answer();
    } catch (error) {
      throw unavailable(error);
    }
  }

  close(): void {
    this.#db.close();
    this.#hold.close();
  }

  #write<T>(work: () => T): T {
    try {
      if (this.#stale) this.#readAgain();
      return this.#db.immediately(() => {
        this.#hold.check();
        const result = work();
        this.#hold.checkFile();
        return result;
      });
    } catch (error) {
      this.#stale = true;
      throw unavailable(error);
    }
  }

  /** After a rollback: forgets rows that do not exist, and reads again which calls are not rolled up. */
  #readAgain(): void {
    this.#dimensions.forgetRows();
    this.#log.recover(this.#notRolledUpSinceS);
    this.#rollup.recover(this.#notRolledUpSinceS);
    this.#compaction.recover(this.#notRolledUpSinceS);
    this.#conversion.recover();
    this.#stale = false;
  }
}

/** Makes this process the one writer of its database. */
export interface WriterHold {
  /** In each transaction, before anything is written. @throws when another process is the writer */
  check(): void;
  /** In each transaction, at its end. @throws AppError `unavailable` when the file is no longer the one that was opened */
  checkFile(): void;
  /** Tells a process that wants to be the writer that there is one. */
  answer(): void;
  close(): void;
}

export interface HeldDatabase {
  db: Database;
  hold: WriterHold;
}

function holdFile(path: string): HeldDatabase {
  const lock = new WriterLock(path);
  try {
    const db = openDatabase(path, 'write');
    lock.take(db);
    const file = new StoreFile(path);
    // 16 MiB of WAL between checkpoints: pages that change with every commit are copied once for many.
    db.pragma('wal_autocheckpoint = 4000');
    db.pragma('cache_size = -16384');
    const hold = {
      check: () => lock.check(),
      // Calls that arrive after the file went away are not acknowledged.
      checkFile: () => file.check(),
      answer: () => lock.answer(),
      close: () => lock.close(),
    };
    return { db, hold };
  } catch (error) {
    lock.close();
    throw cannotOpen(error, path);
  }
}

function cannotOpen(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  return new AppError('unavailable', `cannot open store ${path}: ${error.message}`, {
    cause: error,
  });
}

/** An error of SQLite or its file system (full, read-only, busy, I/O) may pass: `unavailable`. Any other error is
 *  a mistake of ours. */
function unavailable(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const { message, code } = error;
  return new AppError('unavailable', `the store cannot write: ${message} (${code})`, {
    cause: error,
  });
}
