import { createHmac, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { replaceAddresses } from '../../../address-text.ts';
import { AppError } from '../../../error.ts';
import type { Database } from '../database.ts';

/**
 * Takes every full address out of a store that was written before privacy was asked for, so that its
 * bytes are nowhere in the store's files. Each becomes a name of its own under a key that is forgotten at
 * once: history keeps its clients apart and says no more who they were.
 * @throws AppError `unavailable` when another process holds on to the old bytes
 */
export function forgetAddresses(db: Database): void {
  const key = randomBytes(32);
  const named = (address: string) =>
    `h:${createHmac('sha256', key).update(address).digest('hex').slice(0, 16)}`;
  const secureDelete = db.pragma('secure_delete');
  db.pragma('secure_delete = ON');
  try {
    const forgotten = db.immediately(() => {
      const client = rewrite(db, 'client', ['address'], (text) => withoutAddress(text, named));
      const within = (text: string) => {
        return replaceAddresses(text, (address, behind) => {
          return isNetwork(address, behind) ? address : named(address);
        });
      };
      const origin = rewrite(db, 'origin', ['consumer', 'agent', 'error_type'], within);
      rewrite(db, 'consumer', ['name'], within);
      const endpoint = rewrite(db, 'endpoint', ['route', 'display', 'shape'], within);
      const isForgotten = rewriteKept(db, within) || client || origin || endpoint;
      if (isForgotten) tellReaders(db);
      return isForgotten;
    });
    if (forgotten) db.exec('PRAGMA incremental_vacuum');
  } finally {
    key.fill(0);
    db.pragma(`secure_delete = ${secureDelete}`);
  }
  // Also when nothing was found now: an earlier start may have ended before this.
  emptyLog(db);
}

/**
 * Takes one client's address out of a store, also while a collector writes it: out of the client's own row and out of
 * the texts that contain it. Its calls stay, under a random name.
 * @param address in the spelling of the store
 * @returns false when the store does not hold it
 * @throws AppError `unavailable` when another process holds on to the old bytes
 */
export async function forgetClient(db: Database, address: string): Promise<boolean> {
  const alias = `h:${randomBytes(8).toString('hex')}`;
  const secureDelete = db.pragma('secure_delete');
  db.pragma('secure_delete = ON');
  let isForgotten: boolean;
  try {
    isForgotten = db.immediately(() => {
      const own = rewrite(db, 'client', ['address'], (text) => (text === address ? alias : text));
      const within = (text: string) => {
        return replaceAddresses(text, (found) => (spelled(found) === address ? alias : found));
      };
      const texts = [
        rewrite(db, 'origin', ['consumer', 'agent', 'error_type'], within),
        rewrite(db, 'consumer', ['name'], within),
        rewrite(db, 'endpoint', ['route', 'display', 'shape'], within),
        rewriteKept(db, within),
      ];
      if (!own && !texts.includes(true)) return false;
      tellReaders(db);
      return true;
    });
    if (isForgotten) db.exec('PRAGMA incremental_vacuum');
  } finally {
    db.pragma(`secure_delete = ${secureDelete}`);
  }
  // Readers hold the log for moments.
  for (let left = 40; ; left -= 1) {
    try {
      emptyLog(db);
      return isForgotten;
    } catch (error) {
      if (left === 0) throw error;
    }
    await pause(250);
  }
}

/** The spelling of the store: IPv6 compressed and in lower case, IPv4 also where it is mapped into IPv6. */
export function spelled(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** What readers remember of these tables no longer holds: word-book.ts, endpoint-book.ts. */
function tellReaders(db: Database): void {
  db.exec(`
    INSERT INTO meta VALUES ('addresses_forgotten', 1) ON CONFLICT DO UPDATE SET value = value + 1;
    UPDATE meta SET value = value + 1 WHERE key = 'displays_changed';
  `);
}

/** Changes what people and spans said of endpoints and consumers, and evidence that was given. */
function rewriteKept(db: Database, change: (text: string) => string): boolean {
  const tables = [
    ['decision', ['callers', 'reason', 'route', 'shape']],
    ['consumer_note', ['consumer', 'display_name', 'contact']],
    ['endpoint_trait', ['traits']],
    ['evidence', ['body']],
  ] as const;
  const changed = tables.map(([table, columns]) => rewrite(db, table, columns, change));
  return changed.includes(true);
}

type Row = Record<string, string | number | Uint8Array | null>;

/**
 * Changes texts of a table, compressed ones too. All its rows are written anew: what moved within its pages before left copies
 * there, and emptying a table wipes its pages whole.
 * @returns false when there was nothing to change
 */
function rewrite(
  db: Database,
  table: string,
  columns: readonly string[],
  change: (text: string) => string,
): boolean {
  const rows = db.prepare(`SELECT * FROM ${table}`).all() as Row[];
  let isChanged = false;
  for (const row of rows) {
    for (const column of columns) {
      const stored = row[column];
      const isZipped = stored instanceof Uint8Array;
      if (!isZipped && typeof stored !== 'string') continue;
      const before = isZipped ? gunzipSync(stored).toString() : stored;
      const after = change(before);
      if (after === before) continue;
      row[column] = isZipped ? gzipSync(after) : after;
      isChanged = true;
    }
  }
  if (!isChanged) return false;
  db.exec(`DELETE FROM ${table}`);
  const names = Object.keys(rows[0]!);
  const places = names.map(() => '?').join(', ');
  const add = db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`);
  for (const row of rows) add.run(...names.map((name) => row[name]!));
  return true;
}

/** Networks, hashes and buckets stay. */
function withoutAddress(client: string, named: (address: string) => string): string {
  return client.includes('/') || client.startsWith('h:') || client.startsWith('{')
    ? client
    : named(client);
}

/** As a configuration that truncates wrote it. */
function isNetwork(address: string, behind: string): boolean {
  return /(\.0|::)$/.test(address) && /^\/(24|40|48)(?!\d)/.test(behind);
}

/** Copies the write-ahead log into the file and cuts it to nothing. */
function emptyLog(db: Database): void {
  if (db.pragma('wal_checkpoint(TRUNCATE)') === 0) return;
  throw new AppError(
    'unavailable',
    `store ${db.path} still holds full addresses in its write-ahead log, because another process reads it: stop that one, and start again`,
  );
}
