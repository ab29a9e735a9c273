import { decodeCommits } from '../calls/block-parts.ts';
import { parts, partsPerBlock } from '../calls/call-block.ts';
import { blockName, commitName } from '../calls/call-tables.ts';
import { decodeCommit } from '../calls/commit-columns.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import { WholeBlocks } from '../calls/whole-block.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import type { CallPiece, CallPieces, SearchColumns } from './call-pieces.ts';
import { RowPieces, unboundedCalls } from './row-pieces.ts';

interface StoredRow {
  firstId: number;
  calls: number;
  committedS: number;
  isBlock: 0 | 1;
}

/**
 * Raw calls of blocks, of commits that are in no block yet, and of rows of release 0.1.0. Those that are damaged or
 * past their retention are left out.
 */
export class StoredPieces implements CallPieces {
  readonly lastNumber: number;
  readonly keptSinceMs: number | undefined;
  readonly #old: RowPieces;
  readonly #rows: StoredRow[];
  readonly #keptFrom: number;
  readonly #blocks: WholeBlocks;
  readonly #commit: Statement;

  /** @param keptFrom the first call whose retention has not ended */
  constructor(db: Database, keptFrom: number) {
    this.#keptFrom = keptFrom;
    this.#old = new RowPieces(db);
    this.#blocks = new WholeBlocks(db);
    this.#commit = db
      .prepare('SELECT columns, trace_ids FROM commit_calls WHERE first_call_id = ?')
      .raw();
    const rows = db.prepare(`
      SELECT first_call_id AS firstId, calls, committed_s AS committedS, 1 AS isBlock FROM call_block
      UNION ALL SELECT first_call_id, calls, committed_s, 0 FROM commit_calls ORDER BY firstId`);
    this.#rows = (rows.all() as StoredRow[]).filter(
      ({ firstId, calls }) => firstId + calls > keptFrom,
    );
    const last = this.#rows.at(-1);
    this.lastNumber = Math.max(this.#old.lastNumber, last ? last.firstId + last.calls - 1 : 0);
    const first = this.#rows[0];
    this.keptSinceMs = this.#old.keptSinceMs ?? (first && oldestMs(db, first));
  }

  between(from: number, to: number, most: number): CallPiece[] {
    const pieces = this.#old.between(from, to, most);
    for (const row of this.#rows) {
      const first = Math.max(row.firstId, this.#keptFrom);
      const end = row.firstId + row.calls;
      if (first > to || end <= from) continue;
      let columns: SearchColumns | 'damaged' | undefined;
      const read = (): SearchColumns | 'damaged' => {
        columns ??= this.#read(row, first - row.firstId);
        return columns;
      };
      pieces.push({
        first,
        length: end - first,
        bounds: unboundedCalls,
        column: (name) => {
          const found = read();
          if (found === 'damaged') throw new DamagedError(nameOf(row), 'it was to be left out');
          return found[name];
        },
        mayHold: () => read() !== 'damaged',
      });
    }
    return pieces;
  }

  /** @param from index of the first call that is wanted */
  #read({ firstId, calls, isBlock }: StoredRow, from: number): SearchColumns | 'damaged' {
    const stored = new StoredCalls(calls);
    try {
      if (isBlock) this.#blocks.read(firstId, stored);
      else {
        const [columns, traceIds] = this.#commit.get(firstId) as [Uint8Array, Uint8Array];
        decodeCommit(columns, traceIds, commitName(firstId), stored);
      }
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      return 'damaged';
    }
    return searchColumns(stored, from, calls);
  }
}

function nameOf({ firstId, isBlock }: StoredRow): string {
  return isBlock ? blockName(firstId) : commitName(firstId);
}

function searchColumns({ columns, weights }: StoredCalls, from: number, to: number): SearchColumns {
  const found: SearchColumns = {
    endpoint: columns.endpoint.subarray(from, to),
    origin: columns.origin.subarray(from, to),
    client: columns.client.subarray(from, to),
    status: columns.status.subarray(from, to),
    endS: columns.endS.subarray(from, to),
    endNs: columns.endNs.subarray(from, to),
    durationNs: columns.durationNs.subarray(from, to),
    requestBytes: columns.requestBytes.subarray(from, to),
    responseBytes: columns.responseBytes.subarray(from, to),
    traceId: columns.traceId.subarray(from * 16, to * 16),
    weight: undefined,
  };
  for (let i = 0; i < weights.length; i += 1) {
    if (weights.call[i]! < from) continue;
    found.weight ??= new Float64Array(to - from).fill(1);
    found.weight[weights.call[i]! - from] = weights.weight[i]!;
  }
  return found;
}

/** When the oldest call of a row was committed. */
function oldestMs(db: Database, { firstId, committedS, isBlock }: StoredRow): number {
  if (!isBlock) return committedS * 1000;
  const part = db.prepare('SELECT bytes FROM call_block_part WHERE id = ?').pluck();
  const bytes = part.get(firstId * partsPerBlock + parts.commits) as Uint8Array | undefined;
  try {
    const [oldest] = decodeCommits(bytes ?? new Uint8Array(), blockName(firstId));
    return (oldest?.committedS ?? committedS) * 1000;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return committedS * 1000;
  }
}
