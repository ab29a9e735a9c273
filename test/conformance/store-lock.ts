import { Database } from '../../core/store/sqlite/database.ts';

/** Holds the write lock of a store, so that its collector can commit nothing until it is released. */
export async function holdStore(storePath: string): Promise<{ release(): void }> {
  const other = new Database(storePath);
  other.exec('BEGIN IMMEDIATE');
  return {
    release() {
      other.exec('ROLLBACK');
      other.close();
    },
  };
}
