import { decodeCommits } from '../calls/block-parts.ts';
import { type BlockSummary, decodeSummary } from '../calls/block-summary.ts';
import { parts, partsPerBlock } from '../calls/call-block.ts';
import { blockName, commitName, lastCallId } from '../calls/call-tables.ts';
import { decodeCommit } from '../calls/commit-columns.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import { BlockColumns } from './block-columns.ts';
import { BlockPiece, summaryMayHold } from './block-piece.ts';
import { ByteCache } from './byte-cache.ts';
import type { CallPiece, CallPieces, WantedCalls } from './call-pieces.ts';
import { boundsOf, type PlainColumns, plainColumns, plainPiece } from './plain-piece.ts';
import { RowPieces } from './row-pieces.ts';

/** Memory of summaries: a block's has 10 to 40 KB. */
const summaryBytes = 32 * 2 ** 20;
/** Memory of decoded commits that are in no block yet: 64 bytes a call, at most two blocks' calls. */
const commitBytes = 16 * 2 ** 20;

/** A row of `call_block` or `commit_calls`. */
interface StoredRow {
  firstId: number;
  calls: number;
  committedS: number;
  isBlock: 0 | 1;
}

/**
 * Raw calls of blocks, of commits that are in no block yet, and of rows of release 0.1.0, with what a reader keeps
 * of them from search to search. Rows of the tables are never changed, and ids are not used again.
 */
export class StoredCallSource {
  readonly #db: Database;
  readonly #list: Statement;
  readonly #summary: Statement;
  readonly #commit: Statement;
  readonly #columns: BlockColumns;
  readonly #summaries = new ByteCache<BlockSummary>(summaryBytes);
  readonly #commits = new ByteCache<CommitColumns>(commitBytes);
  /** Blocks and commits that were found damaged: left out. */
  readonly #damaged = new Set<number>();

  readonly #onDamage: (damage: DamagedError) => void;

  /** @param onDamage called with each block or commit that is damaged and left out, once */
  constructor(db: Database, onDamage: (damage: DamagedError) => void) {
    this.#db = db;
    this.#onDamage = onDamage;
    this.#columns = new BlockColumns(db);
    this.#list = db.prepare(`
      SELECT first_call_id AS firstId, calls, committed_s AS committedS, 1 AS isBlock FROM call_block
      UNION ALL SELECT first_call_id, calls, committed_s, 0 FROM commit_calls ORDER BY firstId`);
    this.#summary = db.prepare('SELECT summary FROM call_block WHERE first_call_id = ?').pluck();
    this.#commit = db
      .prepare('SELECT columns, trace_ids FROM commit_calls WHERE first_call_id = ?')
      .raw();
  }

  /**
   * Runs a search on the calls of the snapshot. A block or commit that turns out to be damaged is left out, and the
   * search begins anew.
   * @param keptFrom the first call whose retention has not ended
   */
  search<T>(keptFrom: number, run: (pieces: CallPieces) => T): T {
    for (;;) {
      const damagedBefore = this.#damaged.size;
      const pieces = new StoredPieces(this.#db, this, this.#rows(keptFrom), keptFrom);
      try {
        return run(pieces);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        this.#noteDamage(error);
        if (this.#damaged.size === damagedBefore) throw error;
      }
    }
  }

  #rows(keptFrom: number): StoredRow[] {
    return (this.#list.all() as StoredRow[]).filter(
      ({ firstId, calls }) => firstId + calls > keptFrom && !this.#damaged.has(firstId),
    );
  }

  #noteDamage(damage: DamagedError): void {
    const { what } = damage;
    this.#onDamage(damage);
    const id = /of call (\d+)/.exec(what)?.[1];
    if (id !== undefined) this.#damaged.add(Number(id));
  }

  /** Undefined when no call of the row can be wanted, or it is damaged. */
  piece({ firstId, calls, isBlock }: StoredRow, wanted: WantedCalls): CallPiece | undefined {
    if (!isBlock) {
      const { columns, bounds } = this.#commitColumns(firstId, calls);
      return plainPiece(firstId, calls, bounds, () => columns);
    }
    const summary = this.#summaryOf(firstId);
    if (!summaryMayHold(summary, wanted)) return undefined;
    return new BlockPiece(firstId, summary, this.#columns.of(firstId, calls), wanted);
  }

  /** When the call of a number was committed. */
  committedS({ firstId, committedS, isBlock }: StoredRow, number: number): number {
    if (!isBlock) return committedS;
    const part = this.#db.kept('SELECT bytes FROM call_block_part WHERE id = ?').pluck();
    const bytes = part.get(firstId * partsPerBlock + parts.commits) as Uint8Array | undefined;
    let end = firstId;
    for (const run of decodeCommits(bytes ?? new Uint8Array(), blockName(firstId))) {
      end += run.calls;
      if (number < end) return run.committedS;
    }
    return committedS;
  }

  #summaryOf(firstId: number): BlockSummary {
    const known = this.#summaries.get(firstId);
    if (known !== undefined) return known;
    const bytes = this.#summary.get(firstId) as Uint8Array;
    const summary = decodeSummary(bytes, blockName(firstId));
    // Decoded numbers take about four times the bytes of varints.
    this.#summaries.set(firstId, summary, 4 * bytes.length);
    return summary;
  }

  #commitColumns(firstId: number, calls: number): CommitColumns {
    const known = this.#commits.get(firstId);
    if (known !== undefined) return known;
    const stored = new StoredCalls(calls);
    const [bytes, traceIds] = this.#commit.get(firstId) as [Uint8Array, Uint8Array];
    decodeCommit(bytes, traceIds, commitName(firstId), stored);
    const columns = plainColumns(stored);
    const decoded = { columns, bounds: boundsOf(calls, columns.endS, columns.durationNs) };
    this.#commits.set(firstId, decoded, 64 * calls + 1024);
    return decoded;
  }
}

interface CommitColumns {
  columns: PlainColumns;
  bounds: CallPiece['bounds'];
}

class StoredPieces implements CallPieces {
  readonly lastNumber: number;
  readonly keptSinceMs: number | undefined;
  readonly #source: StoredCallSource;
  readonly #old: RowPieces;
  readonly #rows: readonly StoredRow[];
  readonly keptFrom: number;

  /** @param rows ascending */
  constructor(
    db: Database,
    source: StoredCallSource,
    rows: readonly StoredRow[],
    keptFrom: number,
  ) {
    this.#source = source;
    this.#old = new RowPieces(db);
    this.#rows = rows;
    this.keptFrom = keptFrom;
    this.lastNumber = lastCallId(db);
    this.keptSinceMs = this.#keptSinceMs();
  }

  between(from: number, to: number, most: number, wanted: WantedCalls): CallPiece[] {
    const pieces: CallPiece[] = this.#old.between(Math.max(from, this.keptFrom), to, most);
    const least = Math.max(from, this.keptFrom);
    for (let at = this.#indexOf(least); at < this.#rows.length; at += 1) {
      const row = this.#rows[at]!;
      if (row.firstId > to) break;
      const piece = this.#source.piece(row, wanted);
      if (piece) pieces.push(piece);
    }
    // Rows of release 0.1.0 become blocks in the background.
    return pieces.sort((a, b) => a.first - b.first);
  }

  at(number: number): CallPiece | undefined {
    if (number < this.keptFrom) return undefined;
    const row = this.#rows[this.#indexOf(number)];
    if (row && row.firstId <= number) return this.#source.piece(row, {});
    return this.#old.at(number);
  }

  /** Of the first row that ends behind a number. */
  #indexOf(number: number): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { firstId, calls } = this.#rows[middle]!;
      if (firstId + calls <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #keptSinceMs(): number | undefined {
    if (this.#old.firstNumber !== undefined) return this.#old.keptSinceMs;
    const [row] = this.#rows;
    if (row === undefined) return this.lastNumber === 0 ? undefined : Number.POSITIVE_INFINITY;
    const first = Math.max(row.firstId, this.keptFrom);
    return first === 1 ? undefined : this.#source.committedS(row, first) * 1000;
  }
}
