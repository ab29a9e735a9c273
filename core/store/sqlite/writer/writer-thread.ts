import { parentPort, workerData } from 'node:worker_threads';
import { callColumns, type Delivery, type NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import { asAppError } from '../../../error.ts';
import type { WeightColumns } from '../../../weight.ts';
import { StoreTransactions } from './transactions.ts';

/** The messages between the writer's thread and its owner, writer.ts. */
export interface WriterStart {
  path: string;
  retention: RetentionPeriods;
  nowS: number;
  keepsAddresses: boolean;
  ignoreConsumers: readonly string[];
}

export type WriterRequest = { id: number; nowS: number } & (
  | {
      kind: 'append';
      buffer: ArrayBuffer;
      capacity: number;
      /** Absent when every call has the weight 1. */
      weights: WeightColumns | undefined;
      deliveries: Delivery[];
      dimensions: NewDimensions;
    }
  | { kind: 'compact' | 'purge' | 'check' | 'close' }
);

export type WriterAnswer =
  | { id: number; stored?: boolean[]; otherCalls?: number; buffer?: ArrayBuffer; seconds: number }
  | { id: number; error: { code: string; message: string } };

const tickMs = 1_000;
const purgeEveryTicks = 30;
/** Compaction lets a waiting append run after this long. Shorter, and it falls behind a history that is loaded in
 *  bulk. */
const maintenanceMs = 20;
/** A clean end compacts for at most this long, so that reports after the next start read few runs. */
const closingMs = 3_000;

const port = parentPort!;
const start = workerData as WriterStart;
const now = (): number => Math.floor(Date.now() / 1000);

let transactions: StoreTransactions;
let maintaining = false;
let closed = false;
let purging = false;
let ticks = 0;

try {
  transactions = new StoreTransactions(
    start.path,
    start.retention,
    start.nowS,
    start.keepsAddresses,
    start.ignoreConsumers,
  );
  port.postMessage({ id: 0, seconds: 0 } satisfies WriterAnswer);
} catch (error) {
  port.postMessage(failure(0, error));
  process.exit();
}

const timer = setInterval(() => {
  ticks += 1;
  attempt(() => {
    transactions.rollUpIfDue(now());
    if (ticks % purgeEveryTicks === 0) {
      transactions.beginPurge(now());
      purging = true;
    }
  });
  maintain();
}, tickMs);

port.on('message', (request: WriterRequest) => {
  const started = performance.now();
  try {
    const answer = {
      id: request.id,
      ...perform(request),
      seconds: (performance.now() - started) / 1000,
    };
    port.postMessage(answer, answer.buffer ? [answer.buffer] : []);
  } catch (error) {
    port.postMessage(failure(request.id, error));
  }
  if (request.kind === 'close') port.close();
  else maintain();
});

function perform(request: WriterRequest): {
  stored?: boolean[];
  otherCalls?: number;
  buffer?: ArrayBuffer;
} {
  const { nowS } = request;
  switch (request.kind) {
    case 'append': {
      const { buffer, capacity, weights, deliveries, dimensions } = request;
      const columns = callColumns(capacity, buffer);
      return { ...transactions.append(columns, weights, deliveries, dimensions, nowS), buffer };
    }
    case 'compact':
      transactions.rollUp(nowS);
      while (transactions.compactOne(nowS, true));
      return {};
    case 'purge':
      transactions.beginPurge(nowS);
      while (transactions.purgeStep(nowS));
      return {};
    case 'check':
      transactions.check();
      return {};
    case 'close':
      closed = true;
      clearInterval(timer);
      attempt(() => {
        transactions.rollUp(nowS);
        const untilMs = performance.now() + closingMs;
        while (performance.now() < untilMs && transactions.compactOne(nowS, true));
      });
      transactions.close();
      return {};
  }
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
      while (transactions.compactOne(now())) if (performance.now() > untilMs) return true;
      if (purging) purging = transactions.purgeStep(now());
      return purging;
    });
    if (more) maintain();
  });
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
  const { code, message } = asAppError(error);
  return { id, error: { code, message } };
}
