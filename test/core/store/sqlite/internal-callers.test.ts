import { join } from 'node:path';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openSqliteInternalCallers } from '../../../../core/store/sqlite/callers/internal-callers.ts';
import { openSqliteEndpoints } from '../../../../core/store/sqlite/endpoints.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { internalCallerContract } from '../../../store/internal-caller-contract.ts';
import { temporaryFolder } from '../../../support/process.ts';

internalCallerContract('sqlite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  const rules = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  return {
    openWriter: (now) => openSqliteWriter({ path, now, ...rules }),
    compact: async () => {},
    openReader: () => openSqliteReader(path),
    open: () => openSqliteInternalCallers(path),
    openEndpoints: () => openSqliteEndpoints(path),
    end: async () => folder.remove(),
  };
});
