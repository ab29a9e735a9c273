import { mayHoldTrace } from '../calls/block-parts.ts';
import { type BlockSummary, durationBound, mayBeMember } from '../calls/block-summary.ts';
import { frameCalls, parts } from '../calls/call-block.ts';
import { mayHoldRow } from '../calls/membership.ts';
import type { BlockParts } from './block-columns.ts';
import type {
  CallBounds,
  CallPiece,
  CodedFrame,
  CodedName,
  NumberName,
  SlowestOfPiece,
  WantedCalls,
} from './call-pieces.ts';

/** Rows that are looked up in a filter at most: each look-up costs as much as some calls. */
const lookedUpRows = 256;

/** Whether a block may hold a wanted call, by its summary alone. */
export function summaryMayHold(summary: BlockSummary, wanted: WantedCalls): boolean {
  const { endFromS, endToS, durationFromNs, durationToNs, statuses, endpoints, client } = wanted;
  if (endFromS !== undefined && summary.maxEndS < endFromS) return false;
  if (endToS !== undefined && summary.minEndS >= endToS) return false;
  if (durationFromNs !== undefined || durationToNs !== undefined) {
    if (summary.timedCalls === 0) return false;
    if (durationFromNs !== undefined && summary.maxDurationNs < durationFromNs) return false;
    if (durationToNs !== undefined && summary.minDurationNs > durationToNs) return false;
  }
  if (statuses) {
    const isWanted = (status: number): boolean =>
      statuses.some(({ from, to }) => status >= from && status <= to);
    if (!summary.statuses.some(({ status }) => isWanted(status))) return false;
  }
  if (endpoints && summary.endpoints.rows?.every((row) => (endpoints[row] ?? 0) === 0)) {
    return false;
  }
  if (client !== undefined && !mayBeMember(summary.clients, client, () => undefined)) return false;
  return originsMayHold(summary, wanted);
}

function originsMayHold(summary: BlockSummary, { origins, originFields }: WantedCalls): boolean {
  if (!origins) return true;
  const { rows } = summary.origins;
  if (rows) return rows.some((row) => origins[row] === 1);
  return (originFields ?? []).every(({ field, rows: wantedRows }) => {
    const witnesses = summary.witnesses[field];
    return witnesses === undefined || witnesses.some((row) => wantedRows[row] === 1);
  });
}

/** The bounds of the wanted calls of a block. Calls of one endpoint are mostly much shorter than the longest call. */
export function summaryBounds(summary: BlockSummary, { endpoints }: WantedCalls): CallBounds {
  const { minEndS, maxEndS, timedCalls, calls } = summary;
  const { rows } = summary.endpoints;
  let durationToNs = timedCalls === 0 ? -1 : summary.maxDurationNs;
  if (endpoints && rows) {
    let code = 0;
    for (let i = 0; i < rows.length; i += 1) {
      const isSelected = (endpoints[rows[i]!] ?? 0) !== 0;
      if (isSelected && summary.endpointDurations[i]! > code) code = summary.endpointDurations[i]!;
    }
    durationToNs = Math.min(durationToNs, durationBound(code));
  }
  const durationFromNs = timedCalls < calls ? -1 : summary.minDurationNs;
  return { endFromS: minEndS, endToS: maxEndS, durationFromNs, durationToNs };
}

/** The calls of a block from the index `skipped` on: those before are past their retention. */
export class BlockPiece implements CallPiece {
  readonly first: number;
  readonly length: number;
  readonly bounds: CallBounds;
  readonly frameCalls = frameCalls;
  readonly #summary: BlockSummary;
  readonly #parts: BlockParts;

  constructor(firstId: number, summary: BlockSummary, columns: BlockParts, wanted: WantedCalls) {
    this.first = firstId;
    this.length = summary.calls;
    this.bounds = summaryBounds(summary, wanted);
    this.#summary = summary;
    this.#parts = columns;
  }

  mayHold({ client, origins, endpoints, endpointRows, traceId }: WantedCalls): boolean {
    const summary = this.#summary;
    const filter = (part: number) => this.#parts.filter(part);
    if (client !== undefined) {
      if (!mayBeMember(summary.clients, client, () => filter(parts.clientFilter))) return false;
    }
    if (endpoints && !summary.endpoints.rows && endpointRows) {
      if (!mayHoldAny(endpointRows, filter(parts.endpointFilter))) return false;
    }
    if (origins && !summary.origins.rows) {
      const rows = rowsOf(origins);
      if (rows && !mayHoldAny(rows, filter(parts.originFilter))) return false;
    }
    return traceId === undefined || mayHoldTrace(summary, traceId, filter);
  }

  coded(name: CodedName, frame: number): CodedFrame {
    return this.#parts.coded(name, frame);
  }

  numbers(name: NumberName, frame: number): Float64Array | Uint32Array {
    return this.#parts.numbers(name, frame);
  }

  durationClasses(frame: number): Uint8Array {
    return this.#parts.durationClasses(frame);
  }

  traceIds(frame: number): Uint8Array {
    return this.#parts.traceIds(frame);
  }

  slowest(): SlowestOfPiece | undefined {
    return this.#parts.slowest();
  }

  weight(index: number): number {
    return this.#summary.weightedCalls === 0 ? 1 : this.#parts.weight(index);
  }
}

function mayHoldAny(rows: readonly number[], filter: Uint8Array | undefined): boolean {
  if (filter === undefined || rows.length > lookedUpRows) return true;
  return rows.some((row) => mayHoldRow(filter, row));
}

/** The rows of a set; undefined when there are more than a filter is asked for. */
function rowsOf(set: Uint8Array): number[] | undefined {
  const rows: number[] = [];
  for (let row = set.indexOf(1); row !== -1; row = set.indexOf(1, row + 1)) {
    if (rows.length === lookedUpRows) return undefined;
    rows.push(row);
  }
  return rows;
}
