import { expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { daysOf } from '../../../../core/day-set.ts';
import { openDatabase } from '../../../../core/store/sqlite/open.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { fillUse } from '../../../../core/store/sqlite/use-migration.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../../support/process.ts';

const dayS = 86_400;
/** 2026-03-10T00:00:00Z */
const startS = 1_773_100_800;

test('a store without facts of use gets them from its usage by days, and heard hours from its hours', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const nowS = startS + 66 * dayS;
  const writer = await openSqliteWriter({
    path,
    retention: defaultRetention,
    now: () => nowS * 1000,
  });
  const dictionary = new CallDictionary();
  const batch = new CallBatch();
  const add = (route: string, atS: number, status: number): void => {
    const i = batch.push();
    const place = { project: 'default', service: 'shop', environment: '', method: 'GET' };
    const { columns } = batch;
    columns.endpoint[i] = dictionary.endpoint({ ...place, route, templated: false });
    const caller = { serviceVersion: '', consumer: '', agent: 'curl', bot: false, errorType: '' };
    columns.origin[i] = dictionary.origin(caller);
    columns.client[i] = 0;
    columns.status[i] = status;
    columns.durationNs[i] = 1e6;
    columns.endS[i] = atS;
    columns.endNs[i] = 0;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  };
  for (const day of [0, 3, 40, 60]) add('/used', startS + day * dayS + 7 * 3600, 200);
  add('/used', startS + 65 * dayS, 404);
  for (const day of [1, 2]) add('/refused', startS + day * dayS + 13 * 3600, 401);
  batch.deliveries.push({
    project: 'default',
    digest: new Uint8Array(16),
    firstCall: 0,
    calls: batch.length,
  });
  await writer.append(batch, dictionary.takeNew());
  await writer.compact();
  await writer.close();

  const facts = async () => {
    const reader = await openSqliteReader(path);
    const found = await reader.snapshot('default', async (snapshot) => ({
      services: await snapshot.services(),
      endpoints: await snapshot.endpoints({}),
    }));
    await reader.close();
    return found;
  };
  const before = await facts();
  const db = openDatabase(path, 'write');
  db.exec('DELETE FROM endpoint_use; UPDATE service_day SET hours = 16777215');
  fillUse(db);
  db.close();
  const after = await facts();
  const start = startS / dayS;
  const [used, refused] = after.endpoints;
  expect(daysOf(used!.use.days)).toEqual([start, start + 3, start + 40, start + 60]);
  expect(used!.use.calls).toBe(4);
  // The hour of the last use is not in the usage of a day.
  expect(used!.use.lastMs).toBe((startS + 61 * dayS) * 1000 - 1);
  expect(daysOf(refused!.use.days)).toEqual([]);
  expect(refused!.use).toMatchObject({ calls: 0, lastMs: 0 });
  expect(after.services[0]!.heardDays).toEqual(before.services[0]!.heardDays);
  expect(after.services[0]!.heardHours).toEqual(before.services[0]!.heardHours);
  expect(after.services[0]!.heardHours[0]).toBe(1 << 7);
  folder.remove();
});
