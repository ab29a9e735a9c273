import { parentPort, workerData } from 'node:worker_threads';
import { callColumns, type Delivery, type NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import { asAppError } from '../../../error.ts';
import type { WeightColumns } from '../../../weight.ts';
import { StoreTransactions } from './transactions.ts';

/** How a writer's thread is started, asked and answered (writer.ts is the other side). */
export interface WriterStart {
  path: string;
  retention: RetentionPeriods;
  nowS: number;
  keepsAddresses: boolean;
}

export type WriterRequest = { id: number; nowS: number } & (
  | {
      kind: 'append';
      buffer: ArrayBuffer;
      capacity: number;
      /** Absent when every call has the weight 1. */
      weights: WeightColumns | undefined;
      deliveries: Delivery[];
      words: NewDimensions;
    }
  | { kind: 'compact' | 'purge' | 'check' | 'close' }
);

export type WriterAnswer =
  | { id: number; stored?: boolean[]; otherCalls?: number; buffer?: ArrayBuffer; seconds: number }
  | { id: number; error: { code: string; message: string } };

const tickMs = 1_000;
const purgeEveryTicks = 30;
/** Settling gives way to an append after this long: it must keep up with a history that is loaded in bulk. */
const maintenanceMs = 20;
/** What a clean end spends on settling, so that the next start's reports find little that is not. */
const closingMs = 3_000;

const port = parentPort!;
const start = workerData as WriterStart;
const now = (): number => Math.floor(Date.now() / 1000);

let writing: StoreTransactions;
let maintaining = false;
let closed = false;
let purging = false;
let ticks = 0;

try {
  writing = new StoreTransactions(start.path, start.retention, start.nowS, start.keepsAddresses);
  port.postMessage({ id: 0, seconds: 0 } satisfies WriterAnswer);
} catch (error) {
  port.postMessage(failure(0, error));
  process.exit();
}

const timer = setInterval(() => {
  ticks += 1;
  attempt(() => {
    writing.rollUpIfDue(now());
    if (ticks % purgeEveryTicks === 0) {
      writing.beginPurge(now());
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
      const { buffer, capacity, weights, deliveries, words } = request;
      const columns = callColumns(capacity, buffer);
      return { ...writing.append(columns, weights, deliveries, words, nowS), buffer };
    }
    case 'compact':
      writing.rollUp(nowS);
      while (writing.settleOne(nowS, true));
      return {};
    case 'purge':
      writing.beginPurge(nowS);
      while (writing.purgeStep(nowS));
      return {};
    case 'check':
      writing.check();
      return {};
    case 'close':
      closed = true;
      clearInterval(timer);
      attempt(() => {
        writing.rollUp(nowS);
        const untilMs = performance.now() + closingMs;
        while (performance.now() < untilMs && writing.settleOne(nowS, true));
      });
      writing.close();
      return {};
  }
}

/** Settles and purges in small transactions, between which appends have their turn. */
function maintain(): void {
  if (maintaining) return;
  maintaining = true;
  setImmediate(() => {
    maintaining = false;
    if (closed) return;
    const untilMs = performance.now() + maintenanceMs;
    const more = attempt(() => {
      while (writing.settleOne(now())) if (performance.now() > untilMs) return true;
      if (purging) purging = writing.purgeStep(now());
      return purging;
    });
    if (more) maintain();
  });
}

/** Maintenance that fails (a full disk) is tried again at the next tick; appends tell of the fault. */
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
