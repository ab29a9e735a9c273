import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention, type RetentionPeriods } from '../../../core/config/retention.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import type { CallReader, CallWriter } from '../../../core/store/store.ts';
import { dayS } from '../../../core/window.ts';
import { temporaryFolder } from '../../support/process.ts';
import { oracleReader, type PlainCall, weightOf } from './oracle.ts';

/** Who answers behind the same door: the oracle, and the engines that must say what it says. */
export interface Engine {
  name: string;
  /** A reader of a store that holds the calls, some of them rolled up and some not. */
  open(calls: readonly PlainCall[], nowMs: number): Promise<Opened>;
}

export interface Opened {
  reader: CallReader;
  /** Of the store's file, if it has one. */
  path?: string;
  remove(): Promise<void>;
}

export const engines: Engine[] = [
  {
    name: 'the oracle',
    open: async (calls) => ({ reader: oracleReader(calls), remove: async () => undefined }),
  },
  // Minutes of all time: windows are what they were asked for, as with the oracle.
  { name: 'sqlite', open: (calls, nowMs) => openSqlite(calls, nowMs, everyMinute) },
];

const everyMinute: RetentionPeriods = {
  ...defaultRetention,
  minutesS: 800 * dayS,
  hoursS: 800 * dayS,
};

export async function openSqlite(
  calls: readonly PlainCall[],
  nowMs: number,
  retention: RetentionPeriods = defaultRetention,
): Promise<Opened> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  const writer = await openSqliteWriter({ path, retention, now: () => nowMs });
  const dictionary = new CallDictionary();
  const half = Math.ceil(calls.length / 2);
  await write(writer, dictionary, calls.slice(0, half));
  await writer.compact();
  await write(writer, dictionary, calls.slice(half));
  const reader = await openSqliteReader(path);
  return {
    reader,
    path,
    async remove() {
      await reader.close();
      await writer.close();
      folder.remove();
    },
  };
}

async function write(
  writer: CallWriter,
  dictionary: CallDictionary,
  calls: readonly PlainCall[],
): Promise<void> {
  const batch = new CallBatch();
  for (const call of calls) {
    const index = batch.push();
    const { service, environment, method, route, version, consumer, agent } = call;
    const name = { project: 'default', service, environment, method, route, templated: false };
    const { bot = false, errorType = '', traceId = '' } = call;
    const { requestBytes = -1, responseBytes = -1 } = call;
    const origin = { serviceVersion: version, consumer, agent, bot, errorType };
    const into = batch.columns;
    into.endpoint[index] = dictionary.endpoint(name);
    into.origin[index] = dictionary.origin(origin);
    into.client[index] = dictionary.client(call.client);
    into.endS[index] = Math.floor(call.endMs / 1000);
    into.endNs[index] = (call.endMs % 1000) * 1_000_000;
    into.status[index] = call.status;
    into.durationNs[index] = call.durationNs;
    into.requestBytes[index] = requestBytes;
    into.responseBytes[index] = responseBytes;
    into.traceId.fill(0, index * 16, index * 16 + 16);
    into.traceId.set(Buffer.from(traceId, 'hex'), index * 16);
    const weight = weightOf(call);
    if (weight !== 1) batch.weights.add(index, weight, weight);
  }
  const digest = createHash('md5').update(JSON.stringify(calls)).digest();
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
  await writer.append(batch, dictionary.takeNew());
}
