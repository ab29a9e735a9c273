import { expect, it } from 'vitest';
import { type CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../../core/window.ts';
import { temporaryFolder } from '../../../../support/process.ts';

it('a new batch lies on the memory of one that was committed, and counts only its own calls', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const reader = await openSqliteReader(path);
  const dictionary = new CallDictionary();
  let last = 0;
  const append = async (calls: number, digest: number): Promise<void> => {
    const batch = writer.newBatch();
    if (last > 0) expect(batch.columns.buffer.byteLength).toBe(last);
    for (let n = 0; n < calls; n++) fill(batch, dictionary);
    const delivery = { digest: new Uint8Array(16).fill(digest), firstCall: 0, calls };
    batch.deliveries.push({ project: 'default', ...delivery });
    const bytes = batch.columns.buffer.byteLength;
    await writer.append(batch, dictionary.takeNew());
    // The memory went to the writer's thread.
    expect(batch.columns.buffer.byteLength).toBe(0);
    last = bytes;
  };
  await append(5_000, 1);
  await append(3, 2);
  const total = await reader.snapshot('default', (snapshot) => snapshot.total({}, allTime));
  expect(total).toMatchObject({ calls: 5_003, errors5xx: 5_003, sumNs: 5_003_000_000 });
  await reader.close();
  await writer.close();
  folder.remove();
});

function fill(batch: CallBatch, dictionary: CallDictionary): void {
  const i = batch.push();
  const { columns } = batch;
  columns.endpoint[i] = dictionary.endpoint({
    project: 'default',
    service: 'shop',
    environment: '',
    method: 'GET',
    route: '/a',
    templated: false,
  });
  columns.origin[i] = dictionary.origin({
    serviceVersion: '',
    consumer: '',
    agent: '',
    bot: false,
    errorType: '',
  });
  columns.client[i] = 0;
  columns.status[i] = 500;
  columns.durationNs[i] = 1_000_000;
  columns.endS[i] = 1_790_000_000;
  columns.endNs[i] = 0;
  columns.requestBytes[i] = -1;
  columns.responseBytes[i] = -1;
}
