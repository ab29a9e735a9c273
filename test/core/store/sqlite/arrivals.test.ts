import { join } from 'node:path';
import { openSqliteArrivals } from '../../../../core/store/sqlite/arrivals.ts';
import { openSqliteEndpoints } from '../../../../core/store/sqlite/endpoints.ts';
import { openSqliteKeys } from '../../../../core/store/sqlite/keys.ts';
import { arrivalStoreContract } from '../../../store/arrival-contract.ts';
import { temporaryFolder } from '../../../support/process.ts';

arrivalStoreContract('sqlite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  return {
    open: () => openSqliteArrivals(path),
    openEndpoints: () => openSqliteEndpoints(path),
    openKeys: () => openSqliteKeys(path),
    end: async () => folder.remove(),
  };
});
