import { parentPort, workerData } from 'node:worker_threads';
import { callColumns, type Delivery, type NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import type { EndpointNote } from '../../../endpoint-traits.ts';
import { asAppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type { WeightColumns } from '../../../weight.ts';
import type { RouteDeclaration } from '../../live-routes.ts';
import type { StoreNotice } from '../../notices.ts';
import type { ClockReading, HeldStep } from '../../store-clock.ts';
import { WriterReplaced } from '../writer-lock.ts';
import { type Stages, StoreTransactions } from './transactions.ts';

/** The messages between the writer's thread and its owner, writer.ts. */
export interface WriterStart {
  path: string;
  retention: RetentionPeriods;
  clock: ClockReading;
  keepsAddresses: boolean;
  ignoreConsumers: readonly string[];
}

/** Every message brings the time: this thread reads no clock. */
export type WriterRequest = { id: number; clock: ClockReading } & (
  | {
      kind: 'append';
      buffer: ArrayBuffer;
      capacity: number;
      /** Absent when every call has the weight 1. */
      weights: WeightColumns | undefined;
      deliveries: Delivery[];
      declarations: RouteDeclaration[];
      notes: EndpointNote[];
      dimensions: NewDimensions;
    }
  /** Once a second: rolls up, compacts and deletes what is due. `whole`: all of it before the answer. */
  | { kind: 'tick'; whole: boolean }
  /** Deletes as of a time, whatever the clock says. */
  | { kind: 'purge'; asOfS: number }
  | { kind: 'rollUp' | 'compact' | 'check' | 'stages' | 'close' }
);

export type WriterAnswer =
  | ({ id: number; seconds: number } & Performed)
  | { id: number; error: { code: string; message: string } }
  /** The machine's clock stepped, or its step was taken. */
  | { held: HeldStep | undefined }
  | StoreNotice;

interface Performed {
  stored?: boolean[];
  otherCalls?: number;
  buffer?: ArrayBuffer;
  stages?: Stages;
}

const purgeEveryS = 30;
/** Compaction lets a waiting append run after this long. Shorter, and it falls behind a history that is loaded in
 *  bulk. */
const maintenanceMs = 20;
/** A clean end compacts for at most this long, so that reports after the next start read few runs. */
const closingMs = 3_000;

const port = parentPort!;
const start = workerData as WriterStart;
let transactions: StoreTransactions;
let maintaining = false;
let closed = false;
let purging = false;
let purgedS = 0;
/** Store time of the last message. */
let nowS = 0;
let isHeld = false;
let isConverting = false;

try {
  transactions = new StoreTransactions(
    start.path,
    start.retention,
    start.clock,
    start.keepsAddresses,
    start.ignoreConsumers,
    (what) => port.postMessage({ damaged: what } satisfies WriterAnswer),
  );
  nowS = transactions.nowS(start.clock);
  purgedS = nowS;
  tellHeld();
  tellConversion();
  port.postMessage({ id: 0, seconds: 0 } satisfies WriterAnswer);
} catch (error) {
  port.postMessage(failure(0, error));
  process.exit();
}

port.on('message', (request: WriterRequest) => {
  const started = performance.now();
  nowS = transactions.nowS(request.clock);
  try {
    const answer = {
      id: request.id,
      ...perform(request),
      seconds: (performance.now() - started) / 1000,
    };
    port.postMessage(answer, answer.buffer ? [answer.buffer] : []);
  } catch (error) {
    port.postMessage(failure(request.id, error));
    // Ends the thread, and with it the process.
    if (error instanceof WriterReplaced) throw error;
  }
  if (request.kind === 'close') port.close();
  else maintain();
});

function perform(request: WriterRequest): Performed {
  switch (request.kind) {
    case 'append': {
      const { buffer, capacity, weights, deliveries, dimensions, declarations, notes } = request;
      const columns = callColumns(capacity, buffer);
      const outcome = transactions.append(
        columns,
        weights,
        deliveries,
        dimensions,
        nowS,
        declarations,
        notes,
      );
      return { ...outcome, buffer };
    }
    case 'tick':
      tellHeld();
      attempt(() => transactions.answerChallenge());
      attempt(tick);
      while (request.whole && attempt(maintainOne));
      return {};
    case 'rollUp':
      transactions.rollUp(nowS);
      return {};
    case 'compact':
      transactions.rollUp(nowS);
      while (transactions.compactOne(nowS, true) || transactions.convertSome(nowS));
      tellConversion();
      return {};
    case 'purge':
      transactions.beginPurge(request.asOfS);
      while (transactions.purgeStep(request.asOfS));
      return {};
    case 'check':
      transactions.check();
      return {};
    case 'stages':
      return { stages: transactions.stages() };
    case 'close':
      closed = true;
      attempt(() => {
        transactions.rollUp(nowS);
        const untilMs = performance.now() + closingMs;
        while (performance.now() < untilMs && transactions.compactOne(nowS, true));
        transactions.keepTime(0);
      });
      transactions.close();
      return {};
  }
}

function tick(): void {
  transactions.keepTime(limits.clockStoredS);
  transactions.rollUpIfDue(nowS);
  // Also after a step back.
  if (Math.abs(nowS - purgedS) < purgeEveryS) return;
  purgedS = nowS;
  transactions.beginPurge(nowS);
  purging = true;
}

/** Compacts one shard or block, deletes or converts a bounded number of rows. @returns false when nothing is due */
function maintainOne(): boolean {
  if (transactions.compactOne(nowS)) return true;
  if (purging) {
    purging = transactions.purgeStep(nowS);
    if (purging) return true;
  }
  const isMore = transactions.convertSome(nowS);
  tellConversion();
  return isMore;
}

/** Compacts and purges in small transactions; appends run between them. */
function maintain(): void {
  if (maintaining) return;
  maintaining = true;
  setImmediate(() => {
    maintaining = false;
    if (closed) return;
    const untilMs = performance.now() + maintenanceMs;
    const more = attempt(() => {
      while (maintainOne()) if (purging || performance.now() > untilMs) return true;
      return false;
    });
    if (more) maintain();
  });
}

function tellConversion(): void {
  const { conversion } = transactions;
  if (conversion === undefined && !isConverting) return;
  isConverting = conversion !== undefined;
  port.postMessage({ conversion } satisfies WriterAnswer);
}

function tellHeld(): void {
  const { held } = transactions;
  if (held === undefined && !isHeld) return;
  isHeld = held !== undefined;
  port.postMessage({ held } satisfies WriterAnswer);
}

/** Failed maintenance (a full disk) is tried again at the next tick; the senders of appends get the error. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (asAppError(error).code !== 'unavailable') throw error;
    return undefined;
  }
}

function failure(id: number, error: unknown): WriterAnswer {
  if (error instanceof WriterReplaced) {
    return { id, error: { code: 'unavailable', message: error.message } };
  }
  const { code, message } = asAppError(error);
  return { id, error: { code, message } };
}
