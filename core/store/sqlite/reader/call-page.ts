import type { CallFilter, CallPage, CallPosition, CallRecord, CallRequest } from '../../calls.ts';
import type { Database } from '../database.ts';
import { readCallCursor, writeCallCursor } from './call-cursor.ts';
import type { CallPiece, CallPieces, WantedCalls } from './call-pieces.ts';
import { type FoundCalls, piecesOf, searchCalls } from './call-search.ts';
import type { DimensionCache } from './dimension-cache.ts';
import { StoredPieces } from './stored-pieces.ts';

/**
 * One page of raw calls, read in the transaction of the snapshot.
 * @param endpoints by row of a spelling: the first row of its endpoint; 0 where the endpoint is not selected
 * @param keptFrom the first call whose retention has not ended
 * @throws AppError `invalid` for a wrong cursor
 */
export function callPage(
  db: Database,
  keptFrom: number,
  dimensions: DimensionCache,
  project: string,
  endpoints: Int32Array,
  filter: CallFilter,
  request: CallRequest,
): CallPage {
  const { order, cursor: text } = request;
  const cursor = text === undefined ? undefined : readCallCursor(project, order, text);
  const pieces = new StoredPieces(db, keptFrom);
  const wanted = wantedCalls(db, endpoints, filter);
  const found: FoundCalls = wanted
    ? searchCalls(pieces, wanted, { ...request, cursor })
    : { positions: [], lastNumber: cursor?.lastNumber ?? pieces.lastNumber };
  const { positions, lastNumber, cursor: next } = found;
  const { keptSinceMs } = pieces;
  return {
    calls: recordsOf(pieces, positions, dimensions, endpoints),
    ...(next && { cursor: writeCallCursor(project, next) }),
    arrivals: writeCallCursor(project, {
      order: 'arrival',
      lastNumber,
      visitedFrom: lastNumber + 1,
      found: [],
    }),
    ...(keptSinceMs !== undefined && { keptSinceMs }),
  };
}

/** The filter in row ids; undefined when no stored call can pass it. */
function wantedCalls(
  db: Database,
  endpoints: Int32Array,
  { fromS, toS, statuses, client, durationFromNs, durationToNs, traceId, ...filter }: CallFilter,
): WantedCalls | undefined {
  const origins = originRows(db, filter);
  const clientRow = client === undefined ? undefined : rowOfClient(db, client);
  if (origins?.length === 0 || clientRow === -1) return undefined;
  const selected = endpoints.reduce((rows, first) => (first === 0 ? rows : rows + 1), 0);
  if (selected === 0) return undefined;
  const all = db.prepare('SELECT count(*) FROM endpoint').pluck().get() as number;
  return {
    ...(selected < all && { endpoints }),
    ...(origins && { origins }),
    ...(clientRow !== undefined && { client: clientRow }),
    ...(statuses && { statuses }),
    ...(fromS !== undefined && { endFromS: fromS }),
    ...(toS !== undefined && { endToS: toS }),
    ...(durationFromNs !== undefined && { durationFromNs }),
    ...(durationToNs !== undefined && { durationToNs }),
    ...(traceId !== undefined && { traceId: Buffer.from(traceId, 'hex') }),
  };
}

/** 0 for the unknown client, -1 for an address that never called. */
function rowOfClient(db: Database, address: string): number {
  if (address === '') return 0;
  const row = db.prepare('SELECT id FROM client WHERE address = ?').pluck().get(address);
  return (row as number | undefined) ?? -1;
}

type OriginFilter = Pick<CallFilter, 'consumer' | 'agent' | 'serviceVersion' | 'errorType' | 'bot'>;

/** By row of an origin: 1 when it passes; empty when none does; undefined when none is asked for. */
function originRows(db: Database, filter: OriginFilter): Uint8Array | undefined {
  const { consumer, agent, serviceVersion, errorType, bot } = filter;
  const columns = {
    service_version: serviceVersion,
    consumer,
    agent,
    bot: bot === undefined ? undefined : Number(bot),
    error_type: errorType,
  };
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const condition = given.map(([column]) => `${column} = ?`).join(' AND ');
  const rows = db
    .prepare(`SELECT id FROM origin WHERE ${condition} ORDER BY id`)
    .pluck()
    .all(...given.map(([, value]) => value as string | number)) as number[];
  const wanted = new Uint8Array((rows.at(-1) ?? -1) + 1);
  for (const row of rows) wanted[row] = 1;
  return wanted;
}

function recordsOf(
  pieces: CallPieces,
  positions: readonly CallPosition[],
  dimensions: DimensionCache,
  endpoints: Int32Array,
): CallRecord[] {
  const records = new Map<number, CallRecord>();
  const numbers = positions.map(({ number }) => number);
  for (const { piece, indexes } of piecesOf(pieces, numbers)) {
    for (const i of indexes) {
      records.set(piece.first + i, recordOf(piece, i, dimensions, endpoints));
    }
  }
  return numbers.map((number) => records.get(number)!);
}

function recordOf(
  piece: CallPiece,
  i: number,
  dimensions: DimensionCache,
  endpoints: Int32Array,
): CallRecord {
  const origin = dimensions.origin(piece.column('origin')[i]!);
  const traceId = piece.column('traceId').subarray(i * 16, i * 16 + 16);
  return {
    id: String(piece.first + i),
    endpoint: String(endpoints[piece.column('endpoint')[i]!]),
    endS: piece.column('endS')[i]!,
    endNs: piece.column('endNs')[i]!,
    durationNs: piece.column('durationNs')[i]!,
    status: piece.column('status')[i]!,
    client: dimensions.client(piece.column('client')[i]!),
    serviceVersion: origin.serviceVersion,
    consumer: origin.consumer,
    agent: origin.agent,
    bot: origin.bot === 1,
    errorType: origin.errorType,
    requestBytes: piece.column('requestBytes')[i]!,
    responseBytes: piece.column('responseBytes')[i]!,
    traceId: traceId.every((byte) => byte === 0) ? '' : Buffer.from(traceId).toString('hex'),
    weight: piece.column('weight')?.[i] ?? 1,
  };
}
