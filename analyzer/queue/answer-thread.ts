import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../../core/config/config.ts';
import type { AnalyzerMemory } from '../../core/config/memory.ts';
import { asAppError, type ErrorCode } from '../../core/error.ts';
import { lowerThisThread, niceness } from '../../core/priority.ts';
import { storePlace } from '../../core/store/engine.ts';
import { Retrying, RetryingReader } from '../../core/store/late.ts';
import type { WrittenAnswer } from '../query/written-answer.ts';
import {
  type AnswererOptions,
  type CommandQuestion,
  LocalAnswerer,
  type Question,
} from './answerer.ts';
import { MemoryPressure } from './memory-pressure.ts';

/** The messages between the answering thread and its owner, threaded-answerer.ts. */
export interface AnswerThreadStart extends AnswererOptions {
  store: Config['store'];
  memory: AnalyzerMemory;
  /** One Int32: the id of the request that nobody waits for any more. */
  abandoned: SharedArrayBuffer;
  /** One Int32, written after each answer: rows of the store that were found damaged. */
  damaged: SharedArrayBuffer;
}

export type ThreadRequest = { id: number } & (
  | { kind: 'answer'; question: Question }
  | { kind: 'command'; question: CommandQuestion }
  | { kind: 'check' | 'close' }
);

export type ThreadResult = WrittenAnswer | undefined;

export type ThreadAnswer =
  | { id: number; result: ThreadResult }
  | { id: number; error: ThreadError };

export interface ThreadError {
  code: ErrorCode;
  message: string;
  field: string | undefined;
  retryAfterS: number | undefined;
  /** Of a mistake of ours, for the log. */
  stack: string | undefined;
}

const port = parentPort!;
const { store, memory, abandoned, damaged, ...options } = workerData as AnswerThreadStart;
const abandonedId = new Int32Array(abandoned);
const damagedRows = new Int32Array(damaged);
const place = storePlace(store);
const reader = new RetryingReader(place.openReader);
const inventories = new Retrying(place.openInventories);
const decisions = new Retrying(place.openDecisions);
const verdicts = new Retrying(place.openVerdicts);
const arrivals = new Retrying(place.openArrivals);
const consumers = new Retrying(place.openConsumers);
const events = new Retrying(place.openEvents);
const endpoints = new Retrying(place.openEndpoints);
const stores = {
  reader,
  inventories: () => inventories.get(),
  decisions: () => decisions.get(),
  verdicts: () => verdicts.get(),
  arrivals: () => arrivals.get(),
  consumers: () => consumers.get(),
  events: () => events.get(),
  endpoints: () => endpoints.get(),
};
const answerer = new LocalAnswerer(stores, options, memory.inventoryMiB);
const pressure = new MemoryPressure(memory.collectedFromBytes);

let isLowered = false;

port.on('message', async (request: ThreadRequest) => {
  const { id } = request;
  try {
    const result = await perform(request);
    const transfer = result ? [result.bytes.buffer] : [];
    port.postMessage({ id, result } satisfies ThreadAnswer, transfer);
  } catch (thrown) {
    port.postMessage({ id, error: threadError(thrown) } satisfies ThreadAnswer);
  }
  // After the check at the start, which ends sooner so.
  if (request.kind === 'check' && !isLowered) {
    isLowered = true;
    lowerThisThread(niceness.reports);
  }
  Atomics.store(damagedRows, 0, answerer.damagedRows());
  pressure.relieve(() => answerer.forgetLists());
  if (request.kind === 'close') port.close();
});

async function perform(request: ThreadRequest): Promise<ThreadResult> {
  switch (request.kind) {
    case 'answer':
      return answerer.answer(request.question, () => Atomics.load(abandonedId, 0) === request.id);
    case 'command':
      return answerer.command(request.question);
    case 'check':
      await answerer.check();
      return undefined;
    case 'close':
      await inventories.close();
      await decisions.close();
      await verdicts.close();
      await arrivals.close();
      await consumers.close();
      await events.close();
      await endpoints.close();
      await reader.close();
      return undefined;
  }
}

function threadError(thrown: unknown): ThreadError {
  const { code, message, field, retryAfterS } = asAppError(thrown);
  const stack = code === 'internal' && thrown instanceof Error ? thrown.stack : undefined;
  return { code, message, field, retryAfterS, stack };
}
