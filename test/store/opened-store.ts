import { afterEach, beforeEach } from 'vitest';
import { CallDictionary } from '../../core/call.ts';
import type { CallReader, CallWriter } from '../../core/store/store.ts';
import { type ContextCall, contextBatch } from './contexts.ts';

/** What every engine must do, with the same numbers. An engine's test calls `storeContract` with its opener. */
export interface EngineUnderTest {
  openWriter(now: () => number): Promise<CallWriter>;
  openReader(): Promise<CallReader>;
  /** Does at once what the open writer does by itself in time: everything appended is rolled up and compacted. */
  compact(): Promise<void>;
  /** Deletes at once what is older than the retention says, as of `nowS`. */
  purge(nowS: number): Promise<void>;
  /** How many raw calls are stored. */
  rawCalls(): Promise<number>;
}

export type StartEngine = () => Promise<EngineUnderTest & { end(): Promise<void> }>;

/** A store that stands at one moment, with its writer and reader open. */
export interface OpenedStore {
  under: EngineUnderTest;
  writer: CallWriter;
  reader: CallReader;
  dictionary: CallDictionary;
}

/**
 * Gives each test of a contract a new store, and ends it afterwards.
 * @param use gets the store, and gets it again after each `open`
 */
export function inNewStore(
  start: StartEngine,
  nowS: number,
  use: (opened: OpenedStore) => void,
): {
  open(): Promise<void>;
  close(): Promise<void>;
  append(calls: readonly ContextCall[]): Promise<void>;
} {
  let engine: Awaited<ReturnType<StartEngine>>;
  let opened: OpenedStore;
  let serial = 0;
  const open = async (): Promise<void> => {
    opened = {
      under: engine,
      writer: await engine.openWriter(() => nowS * 1000),
      reader: await engine.openReader(),
      dictionary: new CallDictionary(),
    };
    use(opened);
  };
  const close = async (): Promise<void> => {
    await opened.reader.close();
    await opened.writer.close();
  };
  beforeEach(async () => {
    engine = await start();
    await open();
  });
  afterEach(async () => {
    await close();
    await engine.end();
  });
  const append = async (calls: readonly ContextCall[]): Promise<void> => {
    const { writer, dictionary } = opened;
    serial += 1;
    await writer.append(contextBatch(calls, dictionary, serial), dictionary.takeNew());
  };
  return { open, close, append };
}
