import type { CallFilter, CallPage, CallPosition, CallRecord, CallRequest } from '../../calls.ts';
import type { Database } from '../database.ts';
import type { DimensionCache } from '../reader/dimension-cache.ts';
import { readCallCursor, writeCallCursor } from './call-cursor.ts';
import type { CallPiece, CallPieces, CodedName, NumberName, WantedCalls } from './call-pieces.ts';
import { type FoundCalls, piecesOf, searchCalls } from './call-search.ts';
import type { StoredCallSource } from './stored-pieces.ts';

/** What a search reads of its snapshot besides the calls. */
export interface SearchedSnapshot {
  db: Database;
  source: StoredCallSource;
  dimensions: DimensionCache;
  project: string;
  /** The first call whose retention has not ended. */
  keptFrom: number;
}

/**
 * One page of raw calls, read in the transaction of the snapshot.
 * @param endpoints by row of a spelling: the first row of its endpoint; 0 where the endpoint is not selected
 * @throws AppError `invalid` for a wrong cursor
 */
export function callPage(
  snapshot: SearchedSnapshot,
  endpoints: Int32Array,
  filter: CallFilter,
  request: CallRequest,
): CallPage {
  const { db, source, dimensions, project, keptFrom } = snapshot;
  const { order, cursor: text } = request;
  const cursor = text === undefined ? undefined : readCallCursor(project, order, text);
  const wanted = wantedCalls(db, endpoints, filter);
  return source.search(keptFrom, (pieces) => {
    const found: FoundCalls = wanted
      ? searchCalls(pieces, wanted, { ...request, cursor })
      : { positions: [], lastNumber: pieces.lastNumber };
    const { positions, lastNumber, cursor: next } = found;
    const { keptSinceMs } = pieces;
    const arrivals = {
      order: 'arrival' as const,
      lastNumber,
      visitedFrom: lastNumber + 1,
      found: [],
    };
    return {
      calls: recordsOf(pieces, positions, dimensions, endpoints, order === 'slowest'),
      ...(next && { cursor: writeCallCursor(project, next) }),
      arrivals: writeCallCursor(project, arrivals),
      ...(keptSinceMs !== undefined && { keptSinceMs }),
    };
  });
}

/** The filter in row ids; undefined when no stored call can pass it. */
function wantedCalls(
  db: Database,
  endpoints: Int32Array,
  { fromS, toS, statuses, client, durationFromNs, durationToNs, traceId, ...filter }: CallFilter,
): WantedCalls | undefined {
  const originFields = originRows(db, filter);
  const origins = originFields && inAll(originFields.map(({ rows }) => rows));
  const clientRow = client === undefined ? undefined : rowOfClient(db, client);
  if (origins?.includes(1) === false || clientRow === -1) return undefined;
  const endpointRows: number[] = [];
  for (let row = 1; row < endpoints.length; row += 1) {
    if (endpoints[row] !== 0) endpointRows.push(row);
  }
  if (endpointRows.length === 0) return undefined;
  const all = db.kept('SELECT count(*) FROM endpoint').pluck().get() as number;
  return {
    ...(endpointRows.length < all && { endpoints, endpointRows }),
    ...(origins && originFields && { origins, originFields }),
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
export function rowOfClient(db: Database, address: string): number {
  if (address === '') return 0;
  const row = db.kept('SELECT id FROM client WHERE address = ?').pluck().get(address);
  return (row as number | undefined) ?? -1;
}

type OriginFilter = Pick<CallFilter, 'consumer' | 'agent' | 'serviceVersion' | 'errorType' | 'bot'>;

/** For each field of the filter: by row of an origin, 1 when it has the wanted value. Undefined without such fields. */
function originRows(db: Database, filter: OriginFilter): WantedCalls['originFields'] {
  const { consumer, agent, serviceVersion, errorType, bot } = filter;
  const columns = [
    ['serviceVersion', 'service_version', serviceVersion],
    ['consumer', 'consumer', consumer],
    ['agent', 'agent', agent],
    ['bot', 'bot', bot === undefined ? undefined : Number(bot)],
    ['errorType', 'error_type', errorType],
  ] as const;
  const given = columns.filter(([, , value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const size = 1 + (db.kept('SELECT ifnull(max(id), 0) FROM origin').pluck().get() as number);
  return given.map(([field, column, value]) => {
    const rows = new Uint8Array(size);
    const found = db.kept(`SELECT id FROM origin WHERE ${column} = ?`).pluck().all(value!);
    for (const row of found as number[]) rows[row] = 1;
    return { field, rows };
  });
}

function inAll(sets: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = sets as [Uint8Array, ...Uint8Array[]];
  return others.length === 0
    ? first
    : first.map((bit, row) => (others.every((set) => set[row] === 1) ? bit : 0));
}

function recordsOf(
  pieces: CallPieces,
  positions: readonly CallPosition[],
  dimensions: DimensionCache,
  endpoints: Int32Array,
  areSlowest: boolean,
): CallRecord[] {
  const records = new Map<number, CallRecord>();
  const numbers = positions.map(({ number }) => number);
  for (const { piece, indexes } of piecesOf(pieces, numbers)) {
    const slowest = areSlowest ? piece.slowest?.() : undefined;
    for (const i of indexes) {
      const number = piece.first + i;
      const own = slowest ? slowest.indexes.indexOf(i) : -1;
      const record =
        own >= 0
          ? recordOf(slowest!.piece, own, dimensions, endpoints)
          : recordOf(piece, i, dimensions, endpoints);
      records.set(number, { ...record, id: String(number) });
    }
  }
  return numbers.map((number) => records.get(number)!);
}

function recordOf(
  piece: CallPiece,
  i: number,
  dimensions: DimensionCache,
  endpoints: Int32Array,
): Omit<CallRecord, 'id'> {
  const frame = Math.floor(i / piece.frameCalls);
  const at = i - frame * piece.frameCalls;
  const coded = (name: CodedName): number => {
    const { values, codes } = piece.coded(name, frame);
    return values === undefined ? codes[at]! : values[codes[at]!]!;
  };
  const number = (name: NumberName): number => piece.numbers(name, frame)[at]!;
  const origin = dimensions.origin(coded('origin'));
  const traceId = piece.traceIds(frame).subarray(at * 16, at * 16 + 16);
  return {
    endpoint: String(endpoints[coded('endpoint')]),
    endS: number('endS'),
    endNs: number('endNs'),
    durationNs: number('durationNs'),
    status: coded('status'),
    client: dimensions.client(coded('client')),
    serviceVersion: origin.serviceVersion,
    consumer: origin.consumer,
    agent: origin.agent,
    bot: origin.bot === 1,
    errorType: origin.errorType,
    requestBytes: number('requestBytes'),
    responseBytes: number('responseBytes'),
    traceId: traceId.every((byte) => byte === 0) ? '' : Buffer.from(traceId).toString('hex'),
    weight: piece.weight(i),
  };
}
