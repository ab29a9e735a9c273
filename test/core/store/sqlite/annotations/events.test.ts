import { join } from 'node:path';
import { openSqliteEvents } from '../../../../../core/store/sqlite/annotations/events.ts';
import { openSqliteKeys } from '../../../../../core/store/sqlite/keys.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import { eventStoreContract } from '../../../../store/event-contract.ts';
import { temporaryFolder } from '../../../../support/process.ts';

eventStoreContract('sqlite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  return {
    open: () => openSqliteEvents(path),
    openKeys: () => openSqliteKeys(path),
    openReader: () => openSqliteReader(path),
    end: async () => folder.remove(),
  };
});
