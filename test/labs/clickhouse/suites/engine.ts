import { randomBytes } from 'node:crypto';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Connection } from '../../../../core/store/clickhouse/connection.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import {
  type ClickhouseCallWriter,
  openClickhouseWriter,
} from '../../../../core/store/clickhouse/writer.ts';

/** The server under test: `npm run test:clickhouse` starts it and says where it is. */
const server = process.env.ROLLCALL_TEST_CLICKHOUSE_URL;

/** A database of its own on the server, and its end. */
export function newDatabase(): { url: string; end(): Promise<void> } {
  if (server === undefined) throw new Error('run `npm run test:clickhouse`, which starts a server');
  const url = new URL(server);
  const database = `test_${randomBytes(6).toString('hex')}`;
  url.pathname = `/${database}`;
  return {
    url: url.href,
    async end() {
      const connection = new Connection(server);
      await connection.run(`DROP DATABASE IF EXISTS ${database} SYNC`);
      connection.close();
    },
  };
}

/** For the contract suites of test/store. */
export async function clickhouse() {
  const { url, end } = newDatabase();
  let writer: ClickhouseCallWriter | undefined;
  return {
    async openWriter(now: () => number) {
      const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
      writer = await openClickhouseWriter({ url, now, ...options });
      return writer;
    },
    compact: () => writer!.compact(),
    purge: (nowS: number) => writer!.purge(nowS),
    openReader: () => openClickhouseReader(url),
    rawCalls: () => writer!.rawCalls(),
    end,
  };
}
