import { type CallFilters, carried, type Search } from './search.ts';

/**
 * The part of all calls that the overview is narrowed to. The API counts calls by each of these alone: where the
 * address names several, only single calls can be searched by them.
 */
export interface Slice {
  filter: (typeof sliceFilters)[number];
  value: string;
}

/** `agent`: consumers of whom only the user agent is known. */
export const sliceFilters = ['client', 'consumer', 'agent', 'http'] as const;

/** As sentences and chips say it. */
export const sliceNames: Record<Slice['filter'], string> = {
  client: 'client',
  consumer: 'consumer',
  agent: 'user agent',
  http: 'status code',
};

const statusCode = /^([1-9]\d\d|[1-9]xx|none)$/;

export function slicesOf(calls: CallFilters): Slice[] {
  return sliceFilters.flatMap((filter) => {
    const value = calls[filter];
    const isKnown = value !== undefined && (filter !== 'http' || statusCode.test(value));
    return isKnown ? [{ filter, value }] : [];
  });
}

/** The filters of calls that the overview has too. */
export function sharedFilters(calls: CallFilters): CallFilters {
  return Object.fromEntries(slicesOf(calls).map(({ filter, value }) => [filter, value]));
}

/** As `carried`, to the overview or the page of calls: both are narrowed to callers and status codes too. */
export function carriedWithSlice(search: Search): Search {
  return { ...carried(search), calls: sharedFilters(search.calls) };
}

/** The parameters of `/slice`. */
export function sliceParameters({ filter, value }: Slice): Record<string, string> {
  switch (filter) {
    case 'agent':
      return { consumer: value, named_by: 'agent' };
    case 'http':
      return { status_code: value };
    default:
      return { [filter]: value };
  }
}
