import type { Delivery } from '../../../call.ts';
import { limits } from '../../../limits.ts';
import { digestBytes, RecentDeliveries } from '../../delivery/recent-deliveries.ts';
import type { Database, Statement } from '../database.ts';

/**
 * Stores the digests by which deliveries are recognised (core/store/delivery/recent-deliveries.ts). One row a commit and
 * project, appended: an index by digest would write a page for every delivery, a third of all pages of a small
 * commit.
 */
export class SeenRequests {
  readonly #add: Statement;
  readonly #read: Statement;
  readonly #after: Statement;
  readonly #recent = new RecentDeliveries();
  #lastRow = 0;
  /** New digests of the transaction in hand, by project row. */
  readonly #fresh = new Map<number, Uint8Array[]>();
  /** Rows that the transaction in hand wrote. */
  #rows: { row: number; projectRow: number; digests: Uint8Array[] }[] = [];

  constructor(db: Database, nowS: number) {
    this.#add = db.prepare(
      'INSERT INTO delivery (project_id, received_s, digests) VALUES (?, ?, ?)',
    );
    this.#read = db.prepare(
      'SELECT project_id AS projectRow, received_s AS receivedS, digests FROM delivery WHERE id = ?',
    );
    this.#after = db.prepare(
      'SELECT id, project_id AS projectRow, received_s AS receivedS, digests FROM delivery WHERE id > ? ORDER BY id',
    );
    this.recover(nowS);
  }

  /** Whether this delivery is none of the last hour. It is one from now on, if the transaction commits. */
  isNew(projectRow: number, { digest }: Delivery, nowS: number): boolean {
    const holds = (row: number, sinceS: number) => this.#holds(row, projectRow, digest, sinceS);
    if (!this.#recent.isNew(projectRow, digest, nowS, holds)) return false;
    const digests = this.#fresh.get(projectRow);
    if (digests === undefined) this.#fresh.set(projectRow, [digest]);
    else digests.push(digest);
    return true;
  }

  /** Writes the new deliveries of the transaction in hand. */
  write(nowS: number): void {
    for (const [projectRow, digests] of this.#fresh) {
      const bytes = digests.length === 1 ? digests[0]! : Buffer.concat(digests);
      this.#rows.push({ row: this.#add.run(projectRow, nowS, bytes), projectRow, digests });
    }
    this.#fresh.clear();
    this.#recent.endTransaction();
  }

  /** The transaction is committed. */
  committed(nowS: number): void {
    for (const { row, projectRow, digests } of this.#rows) {
      for (const digest of digests) this.#recent.add(projectRow, digest, row, nowS);
      this.#lastRow = row;
    }
    this.#rows.length = 0;
  }

  /** After a rollback: drops digests that were not committed and loads those that the store holds. */
  recover(nowS: number): void {
    this.#fresh.clear();
    this.#recent.endTransaction();
    this.#rows.length = 0;
    for (const found of this.#after.iterate(this.#lastRow) as Iterable<Row & { id: number }>) {
      this.#lastRow = found.id;
      if (found.receivedS <= nowS - limits.deliveryMemoryS) continue;
      for (let at = 0; at < found.digests.length; at += digestBytes) {
        const digest = found.digests.subarray(at, at + digestBytes);
        this.#recent.add(found.projectRow, digest, found.id, nowS);
      }
    }
  }

  #holds(row: number, projectRow: number, digest: Uint8Array, sinceS: number): boolean {
    const found = this.#read.get(row) as Row | undefined;
    if (found === undefined || found.projectRow !== projectRow || found.receivedS <= sinceS) {
      return false;
    }
    const { buffer, byteOffset, length } = found.digests;
    const digests = Buffer.from(buffer, byteOffset, length);
    for (let at = 0; at < digests.length; at += digestBytes) {
      if (digests.compare(digest, 0, digestBytes, at, at + digestBytes) === 0) return true;
    }
    return false;
  }
}

interface Row {
  projectRow: number;
  receivedS: number;
  digests: Uint8Array;
}
