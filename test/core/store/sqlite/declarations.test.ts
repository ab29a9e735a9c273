import { join } from 'node:path';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openSqliteInventories } from '../../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { declarationContract } from '../../../store/declaration-contract.ts';
import { temporaryFolder } from '../../../support/process.ts';

declarationContract('sqlite', async (now) => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now });
  const reader = await openSqliteReader(path);
  const inventories = await openSqliteInventories(path);
  return {
    writer,
    reader,
    inventories,
    async end() {
      await inventories.close();
      await reader.close();
      await writer.close();
      folder.remove();
    },
  };
});
