import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteInventories } from '../../../../core/store/sqlite/inventories.ts';
import { inventoryStoreContract } from '../../../store/inventory-contract.ts';

inventoryStoreContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-inventories-'));
  return {
    open: () => openSqliteInventories(join(folder, 'rollcall.db')),
    end: () => rm(folder, { recursive: true }),
  };
});
