import type { Database } from '../sqlite/database.ts';

/** The number of the last INSERT into `delivery` whose deliveries are in the state: a row of it, so it moves with them. */
export function readWatermark(db: Database): number {
  const found = db.prepare("SELECT value FROM meta WHERE key = 'delivered'").pluck().get();
  return (found as number | undefined) ?? 0;
}

export function writeWatermark(db: Database, watermark: number): void {
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('delivered', ?)").run(watermark);
}
