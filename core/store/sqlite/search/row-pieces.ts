import { limits } from '../../../limits.ts';
import type { Database, Statement } from '../database.ts';
import type { CallPiece } from './call-pieces.ts';
import { type PlainColumns, plainPiece, unbounded } from './plain-piece.ts';

const callsPerPiece = 8_192;
/** Raw calls that release 0.1.0 stored as rows. */
export class RowPieces {
  readonly lastNumber: number;
  readonly keptSinceMs: number | undefined;
  /** Undefined without rows. */
  readonly firstNumber: number | undefined;
  readonly #firstNumber: number;
  readonly #rows: Statement;
  readonly #weights: Statement;
  readonly #commits: Statement;

  constructor(db: Database) {
    const [first, last] = db
      .kept('SELECT ifnull(min(id), 1), ifnull(max(id), 0) FROM call')
      .raw()
      .get() as [number, number];
    this.#firstNumber = first;
    this.lastNumber = last;
    this.firstNumber = last === 0 ? undefined : first;
    const committedS = db
      .kept('SELECT committed_s FROM call_commit ORDER BY first_call_id LIMIT 1')
      .pluck()
      .get() as number | undefined;
    this.keptSinceMs = first === 1 || committedS === undefined ? undefined : committedS * 1000;
    this.#rows = db
      .kept(
        `SELECT id, endpoint_id, origin_id, ifnull(client_id, 0), status, end_s, end_ns,
          min(duration_ns, ${Number.MAX_SAFE_INTEGER}), ifnull(request_bytes, -1), ifnull(response_bytes, -1)
         FROM call WHERE id BETWEEN ? AND ?`,
      )
      .raw();
    this.#weights = db
      .kept('SELECT call_id, weight FROM call_weight WHERE call_id BETWEEN ? AND ?')
      .raw();
    this.#commits = db
      .kept(
        `SELECT first_call_id, trace_ids FROM call_commit WHERE first_call_id <= ? AND first_call_id >=
          ifnull((SELECT max(first_call_id) FROM call_commit WHERE first_call_id <= ?), 0)`,
      )
      .raw();
  }

  between(from: number, to: number, most: number): CallPiece[] {
    const pieces: CallPiece[] = [];
    const size = Math.min(callsPerPiece, most);
    const last = Math.min(to, this.lastNumber);
    for (let end = last; end >= Math.max(from, this.#firstNumber); end -= size) {
      const first = Math.max(from, this.#firstNumber, end - size + 1);
      pieces.push(this.#piece(first, end - first + 1));
    }
    return pieces.reverse();
  }

  at(number: number): CallPiece | undefined {
    return this.between(number, number, callsPerPiece)[0];
  }

  #piece(first: number, length: number): CallPiece {
    let columns: PlainColumns | undefined;
    return plainPiece(first, length, unbounded, () => {
      columns ??= this.#read(first, length);
      return columns;
    });
  }

  #read(first: number, length: number): PlainColumns {
    const columns = emptyColumns(length);
    const last = first + length - 1;
    for (const row of this.#rows.all(first, last) as number[][]) {
      const i = row[0]! - first;
      columns.endpoint[i] = row[1]!;
      columns.origin[i] = row[2]!;
      columns.client[i] = row[3]!;
      columns.status[i] = row[4]!;
      columns.endS[i] = row[5]!;
      columns.endNs[i] = row[6]!;
      // A store of release 0.1.0 may hold a longer one: a call without a latency, as it would be stored now.
      columns.durationNs[i] = row[7]! > limits.callDurationNs ? -1 : row[7]!;
      columns.requestBytes[i] = row[8]!;
      columns.responseBytes[i] = row[9]!;
    }
    for (const [id, weight] of this.#weights.all(first, last) as [number, number][]) {
      columns.weight ??= new Float64Array(length).fill(1);
      columns.weight[id - first] = weight;
    }
    for (const [id, traceIds] of this.#commits.all(last, first) as [number, Uint8Array][]) {
      const skipped = Math.max(0, first - id);
      const at = Math.max(0, id - first);
      const ids = traceIds.subarray(skipped * 16, (skipped + length - at) * 16);
      columns.traceId.set(ids, at * 16);
    }
    return columns;
  }
}

function emptyColumns(length: number): PlainColumns {
  return {
    endpoint: new Int32Array(length),
    origin: new Int32Array(length),
    client: new Int32Array(length),
    status: new Uint16Array(length),
    endS: new Uint32Array(length),
    endNs: new Uint32Array(length),
    durationNs: new Float64Array(length),
    requestBytes: new Float64Array(length),
    responseBytes: new Float64Array(length),
    traceId: new Uint8Array(length * 16),
    weight: undefined,
  };
}
