import type { CallFilter, CallOrder, CallRecord } from '../../core/store/calls.ts';

/** A search of calls in a plain array: looks at each call, in the words of its description. */

/** @param calls in the order of their commits @returns those that pass, in order */
export function searchPlainly<Call extends CallRecord>(
  calls: readonly Call[],
  filter: CallFilter,
  order: CallOrder,
): Call[] {
  const found = calls
    .map((call, number) => ({ call, number }))
    .filter((one) => passes(one.call, filter));
  if (order === 'arrival') return found.map(({ call }) => call);
  return found
    .sort((a, b) => {
      const slower = b.call.durationNs - a.call.durationNs;
      if (order === 'slowest' && slower !== 0) return slower;
      if (a.call.endS !== b.call.endS) return b.call.endS - a.call.endS;
      if (a.call.endNs !== b.call.endNs) return b.call.endNs - a.call.endNs;
      return b.number - a.number;
    })
    .map(({ call }) => call);
}

function passes(call: CallRecord, filter: CallFilter): boolean {
  const { fromS, toS, statuses, durationFromNs, durationToNs } = filter;
  if (fromS !== undefined && call.endS < fromS) return false;
  if (toS !== undefined && call.endS >= toS) return false;
  if (statuses && !statuses.some(({ from, to }) => call.status >= from && call.status <= to)) {
    return false;
  }
  if (durationFromNs !== undefined || durationToNs !== undefined) {
    if (call.durationNs < 0) return false;
    if (durationFromNs !== undefined && call.durationNs < durationFromNs) return false;
    if (durationToNs !== undefined && call.durationNs > durationToNs) return false;
  }
  const names = [
    'client',
    'consumer',
    'agent',
    'serviceVersion',
    'errorType',
    'bot',
    'traceId',
  ] as const;
  return names.every((name) => filter[name] === undefined || filter[name] === call[name]);
}
