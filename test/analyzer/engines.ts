import type { CallReader } from '../../core/store/store.ts';
import { type OracleOptions, oracleReader, type PlainCall } from './oracle.ts';

/** Who answers behind the same door: the oracle, and the engines that must say what it says. */
export interface Engine {
  name: string;
  /** A reader of a store that holds the calls. @param nowMs the moment it believes it is */
  open(calls: readonly PlainCall[], nowMs: number, options?: OracleOptions): Promise<Opened>;
}

export interface Opened {
  reader: CallReader;
  remove(): Promise<void>;
}

export const engines: Engine[] = [
  {
    name: 'the oracle',
    open: async (calls, _nowMs, options) => ({
      reader: oracleReader(calls, options),
      remove: async () => undefined,
    }),
  },
];
