import { canonicalRoute } from '../../core/route/route.ts';
import { endpointShape } from '../../core/store/endpoint-identity.ts';

/** The fields of an endpoint's row (analyzer/reports/endpoint-row.ts) that the gate judges by. */
export interface Row {
  service: string;
  environment: string;
  method: string;
  route: string;
  declared: boolean | null;
  declared_route: string | null;
  status: string | null;
  marks: string[];
  total_calls: number;
  answered_count: number;
  unique_clients: number;
  last_called_at: string | null;
  observed_days: number;
  last_callers: { client: string | null; consumer: string | null; agent: string | null }[];
  sunset_at: string | null;
  /** 0 to 1. Absent from an analyzer that states none, and for statuses that need none. */
  confidence?: number | null;
}

/** One operation of a service: its endpoints in all environments. */
export interface Operation {
  method: string;
  /** As declared where it is, else as observed. */
  route: string;
  /** Equal for two documents that name parameters differently. */
  key: string;
  isDeclared: boolean;
  rows: Row[];
}

/** Buckets such as `(unmatched)` belong to no operation. */
export function operationsOf(rows: readonly Row[]): Map<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const row of rows) {
    if (row.status === null) continue;
    const key = `${row.method} ${endpointShape(canonicalRoute(row.route))}`;
    const known = operations.get(key);
    const operation = known ?? {
      method: row.method,
      route: row.declared_route ?? row.route,
      key,
      isDeclared: false,
      rows: [],
    };
    operation.rows.push(row);
    operation.isDeclared ||= row.declared === true;
    if (!known) operations.set(key, operation);
  }
  return operations;
}

const silent: readonly (string | null)[] = ['dead', 'never_called'];

/** Dead or never called in every environment. */
export const isSilent = ({ rows }: Operation): boolean =>
  rows.every(({ status }) => silent.includes(status));

/** The least confidence of its rows; undefined when one states none: that passes no threshold above 0. */
export function confidenceOf({ rows }: Operation): number | undefined {
  let least = 1;
  for (const { confidence } of rows) {
    if (confidence === undefined || confidence === null) return undefined;
    least = Math.min(least, confidence);
  }
  return least;
}

export const hasMark = ({ rows }: Operation, mark: string): boolean =>
  rows.some(({ marks }) => marks.includes(mark));

export const sumOf = (
  { rows }: Operation,
  field: 'total_calls' | 'answered_count' | 'unique_clients',
): number => rows.reduce((sum, row) => sum + row[field], 0);

/** `3 clients, 1,204 calls`; the calls alone when no client's address is known. */
export function usageText(operation: Operation): string {
  const clients = sumOf(operation, 'unique_clients');
  const calls = counted(sumOf(operation, 'total_calls'), 'call');
  return clients === 0 ? calls : `${counted(clients, 'client')}, ${calls}`;
}

/** Names of its last callers, at most three; empty when none is known. */
export function callersText({ rows }: Operation): string {
  const names = new Set<string>();
  for (const { last_callers } of rows) {
    for (const { consumer, client, agent } of last_callers) {
      names.add(consumer ?? client ?? agent ?? 'unknown');
    }
  }
  return names.size === 0 ? '' : `; last callers ${[...names].slice(0, 3).join(', ')}`;
}

/** `last called 2026-03-01`, or for how long it was never called. */
export function silenceText({ rows }: Operation): string {
  const calls = rows.flatMap(({ last_called_at }) => last_called_at ?? []).sort();
  const last = calls.at(-1);
  if (last !== undefined) return `last called ${last.slice(0, 10)}`;
  const days = Math.min(...rows.map(({ observed_days }) => observed_days));
  return `never called in ${counted(days, 'observed day')}`;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
