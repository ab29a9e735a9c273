import { createHash } from 'node:crypto';
import { CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';

/** Endpoints `GET /rN/{id}` spread over services, each called at most once a day up to `nowMs`. */
export interface DailyHistory {
  endpoints: number;
  services: number;
  days: number;
  nowMs: number;
  /** Every day unless told. */
  isCalled?: (endpoint: number, day: number) => boolean;
  /** `shop` unless told. */
  consumerOf?: (endpoint: number, day: number) => string;
}

/** Writes the calls into a new store and compacts them. */
export async function writeDailyHistory(path: string, history: DailyHistory): Promise<void> {
  const { endpoints, services, days, nowMs } = history;
  const { isCalled = () => true, consumerOf = () => 'shop' } = history;
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  const dictionary = new CallDictionary();
  for (let day = days; day >= 0; day--) {
    const batch = writer.newBatch();
    for (let n = 0; n < endpoints; n++) {
      if (!isCalled(n, day)) continue;
      const i = batch.push();
      const { columns } = batch;
      const service = `service-${n % services}`;
      const name = { project: 'default', service, environment: '', method: 'GET' };
      const route = `/r${n}/{id}`;
      columns.endpoint[i] = dictionary.endpoint({ ...name, route, templated: false });
      const context = { serviceVersion: '1', agent: 'curl', bot: false, errorType: '' };
      columns.origin[i] = dictionary.origin({ ...context, consumer: consumerOf(n, day) });
      columns.client[i] = dictionary.client('192.0.2.1');
      columns.status[i] = 200;
      columns.durationNs[i] = 1e6;
      columns.endS[i] = Math.floor(nowMs / 1000) - day * 86_400 - (n % 3600);
      columns.endNs[i] = 0;
      columns.requestBytes[i] = -1;
      columns.responseBytes[i] = -1;
    }
    const digest = createHash('md5').update(String(day)).digest();
    batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
    await writer.append(batch, dictionary.takeNew());
  }
  await writer.compact();
  await writer.close();
}
