import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../../../support/process.ts';
import { type RawCall, rawCallsOf } from '../../../../support/stored-calls.ts';

/** Raw calls of batches that hold repeated deliveries: the calls behind one move up, with all of their fields. */
const nowS = 1_795_000_000;
let folder: ReturnType<typeof temporaryFolder>;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;

beforeEach(async () => {
  folder = temporaryFolder();
  dictionary = new CallDictionary();
  const path = `${folder.path}/rollcall.db`;
  writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowS * 1000 });
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

const origin = { serviceVersion: '', consumer: '', agent: '', bot: false, errorType: '' };

/** Adds call `n`: every field of it is another one than that of any other call. */
function push(batch: CallBatch, n: number): void {
  const i = batch.push();
  const { columns } = batch;
  const name = { project: 'p', service: 's', environment: '', method: 'GET', templated: false };
  columns.endpoint[i] = dictionary.endpoint({ ...name, route: `/${n}` });
  columns.origin[i] = dictionary.origin(origin);
  columns.client[i] = dictionary.client(`client ${n}`);
  columns.status[i] = 200 + n;
  columns.durationNs[i] = 1_000_000 * n;
  columns.endS[i] = nowS - 100 * n;
  columns.endNs[i] = n;
  columns.requestBytes[i] = 10 * n;
  columns.responseBytes[i] = 1_000 * n;
  columns.traceId.fill(n, i * 16, i * 16 + 16);
  if (n % 2 === 0) batch.weights.add(i, n, n);
}

/** What is stored of it. */
function stored(n: number): Omit<RawCall, 'id' | 'where'> {
  return {
    route: `/${n}`,
    status: 200 + n,
    endNs: BigInt(nowS - 100 * n) * 1_000_000_000n + BigInt(n),
    durationNs: 1_000_000 * n,
    client: `client ${n}`,
    requestBytes: 10 * n,
    responseBytes: 1_000 * n,
    traceId: n.toString(16).padStart(2, '0').repeat(16),
    weight: n % 2 === 0 ? n : 1,
  };
}

/** One delivery for each list of calls, with the number of its digest. */
async function append(...deliveries: [digest: number, ...calls: number[]][]): Promise<boolean[]> {
  const batch = writer.newBatch();
  for (const [digest, ...calls] of deliveries) {
    const firstCall = batch.length;
    for (const n of calls) push(batch, n);
    const bytes = Buffer.alloc(16, digest);
    batch.deliveries.push({ project: 'p', digest: bytes, firstCall, calls: calls.length });
  }
  return (await writer.append(batch, dictionary.takeNew())).stored;
}

test('the calls of new deliveries keep all of their fields between and behind repeated ones', async () => {
  expect(await append([1, 1, 2], [2, 3])).toEqual([true, true]);
  const again = append([1, 1, 2], [3, 4], [2, 3], [4, 5, 6], [3, 4], [5, 7, 8, 9]);
  expect(await again).toEqual([false, true, false, true, false, true]);
  const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n, i) => ({ id: i + 1, ...stored(n) }));
  const found = () => rawCallsOf(`${folder.path}/rollcall.db`).map(({ where: _, ...call }) => call);
  expect(found()).toEqual(expected);
  await writer.compact();
  expect(found()).toEqual(expected);
});
