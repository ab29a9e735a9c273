import type { Delivery } from '../../../call.ts';
import { limits } from '../../../limits.ts';
import type { Database, Statement } from '../database.ts';
import { DigestTable } from './digest-table.ts';

/**
 * Remembers deliveries, to recognise one that comes again. On disk one row a commit and project, appended:
 * a table by digest takes a page of its own for every delivery, a third of all pages that a commit of few
 * calls writes. Where a digest stands is known in memory; that it really does is read from its row.
 */
export class SeenRequests {
  readonly #add: Statement;
  readonly #read: Statement;
  readonly #after: Statement;
  /** Youngest last. */
  #generations: Generation[] = [];
  #lastRow = 0;
  /** Of the transaction in hand: project's row, digest. */
  #fresh = new Map<number, Uint8Array[]>();
  readonly #freshKeys = new Set<string>();
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

  /** Whether this delivery is none of the last hour; from now on it is one, if the transaction commits. */
  isNew(projectRow: number, { digest }: Delivery, nowS: number): boolean {
    const key = `${projectRow} ${Buffer.from(digest).toString('latin1')}`;
    if (this.#freshKeys.has(key)) return false;
    const sinceS = nowS - limits.deliveryMemoryS;
    const holds = (row: number) => this.#holds(row, projectRow, digest, sinceS);
    for (const { table } of this.#generations) {
      if (table.some(highOf(digest), lowOf(digest, projectRow), holds)) return false;
    }
    this.#freshKeys.add(key);
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
    this.#freshKeys.clear();
  }

  /** The transaction is committed. */
  committed(nowS: number): void {
    for (const { row, projectRow, digests } of this.#rows) {
      const table = this.#tableAt(nowS);
      for (const digest of digests) table.add(highOf(digest), lowOf(digest, projectRow), row);
      this.#lastRow = row;
    }
    this.#rows.length = 0;
  }

  /** Forgets what no commit made true, and learns what the store holds besides what is known. */
  recover(nowS: number): void {
    this.#fresh.clear();
    this.#freshKeys.clear();
    this.#rows.length = 0;
    for (const found of this.#after.iterate(this.#lastRow) as Iterable<Row & { id: number }>) {
      this.#lastRow = found.id;
      if (found.receivedS <= nowS - limits.deliveryMemoryS) continue;
      const table = this.#tableAt(nowS);
      for (let at = 0; at < found.digests.length; at += digestBytes) {
        const digest = found.digests.subarray(at, at + digestBytes);
        table.add(highOf(digest), lowOf(digest, found.projectRow), found.id);
      }
    }
  }

  #holds(row: number, projectRow: number, digest: Uint8Array, sinceS: number): boolean {
    const found = this.#read.get(row) as Row | undefined;
    if (found === undefined || found.projectRow !== projectRow || found.receivedS <= sinceS) {
      return false;
    }
    const digests = Buffer.from(
      found.digests.buffer,
      found.digests.byteOffset,
      found.digests.length,
    );
    for (let at = 0; at < digests.length; at += digestBytes) {
      if (digests.compare(digest, 0, digestBytes, at, at + digestBytes) === 0) return true;
    }
    return false;
  }

  /** The table that takes what comes now. */
  #tableAt(nowS: number): DigestTable {
    const last = this.#generations.at(-1);
    const isOld = last !== undefined && nowS - last.fromS >= limits.deliveryMemoryS / 2;
    if (last !== undefined && !isOld && last.table.size < generationSize) return last.table;
    const table = new DigestTable();
    this.#generations.push({ fromS: nowS, table });
    if (this.#generations.length > generationsKept) this.#generations.shift();
    return table;
  }
}

/** What came in half an hour, or less when there was much of it. Three hold the last hour at any moment. */
interface Generation {
  fromS: number;
  table: DigestTable;
}

const generationsKept = 3;
const generationSize = Math.floor(limits.rememberedDeliveries / generationsKept);

interface Row {
  projectRow: number;
  receivedS: number;
  digests: Uint8Array;
}

const digestBytes = 16;

function highOf(digest: Uint8Array): number {
  return word(digest, 0);
}

/** The same message in another project is another delivery. */
function lowOf(digest: Uint8Array, projectRow: number): number {
  return (word(digest, 4) ^ Math.imul(projectRow, 0x9e37_79b1)) >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
