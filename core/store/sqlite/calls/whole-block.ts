import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import {
  CodedReader,
  decodeCommits,
  decodeFilter,
  decodeTraceIds,
  decodeWeights,
  EndsReader,
  NumbersReader,
} from './block-parts.ts';
import { type BlockSummary, decodeSummary } from './block-summary.ts';
import {
  type CommitRun,
  callsPerTracePart,
  frameCalls,
  parts,
  partsPerBlock,
} from './call-block.ts';
import { blockName } from './call-tables.ts';
import { decodeSlowest } from './slowest-calls.ts';
import type { StoredCalls } from './stored-calls.ts';

export interface WholeBlock {
  summary: BlockSummary;
  commits: CommitRun[];
}

/** Reads call blocks with all their parts. */
export class WholeBlocks {
  readonly #summary: Statement;
  readonly #parts: Statement;

  constructor(db: Database) {
    this.#summary = db.prepare('SELECT summary FROM call_block WHERE first_call_id = ?').pluck();
    this.#parts = db
      .prepare('SELECT id, bytes FROM call_block_part WHERE id BETWEEN ? AND ? ORDER BY id')
      .raw();
  }

  /**
   * Adds the calls of a block to `into`, and decodes its filters.
   * @throws DamagedError, and `into` may hold calls of the block
   */
  read(firstCallId: number, into: StoredCalls): WholeBlock {
    const name = blockName(firstCallId);
    const summary = decodeSummary(this.#summary.get(firstCallId) as Uint8Array, name);
    const { calls } = summary;
    const base = firstCallId * partsPerBlock;
    const rows = this.#parts.all(base, base + partsPerBlock - 1) as [number, Uint8Array][];
    const found = new Map(rows.map(([id, bytes]) => [id - base, bytes]));
    const nameOf = (part: number): string => `${name}, ${partName(part)}`;
    const bytesOf = (part: number): Uint8Array => {
      const bytes = found.get(part);
      if (bytes === undefined) throw new DamagedError(nameOf(part), 'it is not there');
      return bytes;
    };
    const first = into.push(calls);
    const { columns } = into;
    const codedColumns = [
      [parts.endpoint, columns.endpoint],
      [parts.status, columns.status],
      [parts.client, columns.client],
      [parts.origin, columns.origin],
    ] as const;
    for (const [part, column] of codedColumns) {
      const reader = new CodedReader(bytesOf(part), nameOf(part));
      for (let frame = 0; frame * frameCalls < calls; frame++) {
        const codes = reader.codes(frame);
        const start = first + frame * frameCalls;
        for (let i = 0; i < codes.length; i++) column[start + i] = reader.values[codes[i]!]!;
      }
    }
    const numberColumns = [
      [parts.duration, columns.durationNs],
      [parts.requestBytes, columns.requestBytes],
      [parts.responseBytes, columns.responseBytes],
    ] as const;
    for (const [part, column] of numberColumns) {
      const reader = new NumbersReader(bytesOf(part), calls, nameOf(part));
      for (let frame = 0; frame * frameCalls < calls; frame++) {
        column.set(reader.numbers(frame), first + frame * frameCalls);
      }
    }
    const ends = new EndsReader(bytesOf(parts.end), calls, nameOf(parts.end));
    for (let frame = 0; frame * frameCalls < calls; frame++) {
      const { endS, endNs } = ends.ends(frame);
      columns.endS.set(endS, first + frame * frameCalls);
      columns.endNs.set(endNs, first + frame * frameCalls);
    }
    for (let i = 0; i * callsPerTracePart < calls; i++) {
      const part = parts.traceIds + i;
      const ids = decodeTraceIds(bytesOf(part), nameOf(part));
      columns.traceId.set(ids, (first + i * callsPerTracePart) * 16);
    }
    if (summary.weightedCalls > 0) {
      const weights = decodeWeights(bytesOf(parts.weights), nameOf(parts.weights));
      for (let i = 0; i < weights.length; i++) {
        into.weights.add(first + weights.call[i]!, weights.weight[i]!, weights.copies[i]!);
      }
    }
    for (const [part, bytes] of found) if (isFilter(part)) decodeFilter(bytes, nameOf(part));
    const slowest = found.get(parts.slowest);
    if (slowest !== undefined) decodeSlowest(slowest, nameOf(parts.slowest));
    return { summary, commits: decodeCommits(bytesOf(parts.commits), nameOf(parts.commits)) };
  }
}

function isFilter(part: number): boolean {
  const isRows = part >= parts.endpointFilter && part <= parts.originFilter;
  return isRows || part >= parts.traceFilter;
}

function partName(part: number): string {
  if (part >= parts.traceFilter) return `filter of trace ids ${part - parts.traceFilter}`;
  if (part >= parts.traceIds) return `trace ids ${part - parts.traceIds}`;
  return Object.entries(parts).find(([, number]) => number === part)?.[0] ?? `part ${part}`;
}
