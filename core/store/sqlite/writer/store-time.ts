import type { StoreTime } from '../../store-clock.ts';
import type { Database } from '../database.ts';

/** Store time (core/store/store-clock.ts) in the file, from one process to the next. Undefined in a new store. */
export function readStoreTime(db: Database): StoreTime | undefined {
  const read = db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
  const [atS, heldForS, aheadS] = keys.map((key) => read.get(key) as number) as Three;
  return atS === 0 ? undefined : { atS, heldForS, aheadS };
}

/** In the caller's transaction. */
export function writeStoreTime(db: Database, { atS, heldForS, aheadS }: StoreTime): void {
  const write = db.prepare('UPDATE meta SET value = ? WHERE key = ?');
  const values = [atS, heldForS, aheadS];
  keys.forEach((key, index) => {
    write.run(Math.round(values[index]!), key);
  });
}

const keys = ['clock_s', 'clock_held_for_s', 'clock_ahead_s'] as const;
type Three = [number, number, number];
