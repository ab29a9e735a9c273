import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { countCalls } from '../../../../core/store/sqlite/calls/call-tables.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../core/store/sqlite/writer/writer.ts';
import { callsContract } from '../../../store/calls-contract.ts';
import { storeContract } from '../../../store/contract.ts';
import { detailsContract } from '../../../store/details-contract.ts';
import { identityContract } from '../../../store/identity-contract.ts';
import { recordContract } from '../../../store/record-contract.ts';
import { traitContract } from '../../../store/trait-contract.ts';

async function sqlite() {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-store-'));
  const path = join(folder, 'rollcall.db');
  const retention = defaultRetention;
  let writer: SqliteCallWriter | undefined;
  return {
    openWriter: async (now: () => number) => {
      writer = await openSqliteWriter({ path, retention, now });
      return writer;
    },
    compact: () => writer!.compact(),
    purge: (nowS: number) => writer!.purge(nowS),
    openReader: () => openSqliteReader(path),
    rawCalls: async () => {
      const db = new Database(path, { readOnly: true });
      const count = countCalls(db);
      db.close();
      return count;
    },
    end: () => rm(folder, { recursive: true }),
  };
}

storeContract('sqlite', sqlite);
identityContract('sqlite', sqlite);
recordContract('sqlite', sqlite);
callsContract('sqlite', sqlite);
detailsContract('sqlite', sqlite);
traitContract('sqlite', sqlite);
