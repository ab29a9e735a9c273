import { parentPort, workerData } from 'node:worker_threads';
import { asAppError } from '../../error.ts';
import type { RouteDeclaration } from '../live-routes.ts';
import type { ClockReading, HeldStep } from '../store-clock.ts';
import { Compactor, type CompactorOptions } from './compactor.ts';

/** The messages between the compactor's thread and its owner, writer.ts. Every message brings the time. */
export interface CompactorStart extends CompactorOptions {
  clock: ClockReading;
}

export type CompactorRequest = { id: number; clock: ClockReading } & (
  | { kind: 'tick' | 'rollUp' | 'compact' | 'count' | 'close' }
  | { kind: 'purge'; asOfS: number }
  | { kind: 'declare'; declarations: readonly RouteDeclaration[] }
);

export type CompactorAnswer =
  | { id: number; held?: HeldStep | undefined; rawCalls?: number; otherCalls?: number }
  | { id: number; error: { code: string; message: string } }
  | { damaged: string };

const port = parentPort!;
const { clock: startClock, ...options } = workerData as CompactorStart;
const compactor = new Compactor(options, (damaged) => {
  port.postMessage({ damaged } satisfies CompactorAnswer);
});

async function perform(request: CompactorRequest): Promise<{ rawCalls?: number }> {
  const { clock } = request;
  switch (request.kind) {
    case 'tick':
      await compactor.tick(clock);
      return {};
    case 'rollUp':
      await compactor.rollUp(clock);
      return {};
    case 'compact':
      await compactor.compact(clock);
      return {};
    case 'purge':
      await compactor.purge(clock, request.asOfS);
      return {};
    case 'declare':
      await compactor.declare(clock, request.declarations);
      return {};
    case 'count':
      return { rawCalls: await compactor.rawCalls(clock) };
    case 'close':
      await compactor.close();
      return {};
  }
}

function failure(id: number, error: unknown): CompactorAnswer {
  const { code, message } = asAppError(error);
  return { id, error: { code, message } };
}

port.on('message', async (request: CompactorRequest) => {
  try {
    const found = await perform(request);
    const { held, otherCalls } = compactor;
    port.postMessage({ id: request.id, held, otherCalls, ...found } satisfies CompactorAnswer);
  } catch (error) {
    port.postMessage(failure(request.id, error));
  }
  if (request.kind === 'close') port.close();
});

try {
  await compactor.start(startClock);
  port.postMessage({ id: 0 } satisfies CompactorAnswer);
} catch (error) {
  port.postMessage(failure(0, error));
  await compactor.close();
  port.close();
}
