import { join } from 'node:path';
import { openSqliteDecisions } from '../../../../core/store/sqlite/decisions.ts';
import { openSqliteKeys } from '../../../../core/store/sqlite/keys.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { decisionStoreContract } from '../../../store/decision-contract.ts';
import { temporaryFolder } from '../../../support/process.ts';

decisionStoreContract('sqlite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  return {
    open: () => openSqliteDecisions(path),
    openKeys: () => openSqliteKeys(path),
    openReader: () => openSqliteReader(path),
    end: async () => folder.remove(),
  };
});
