import { specialRoutes } from '../../../limits.ts';
import { outcomeCounts } from '../../../outcome.ts';
import type { ClientCounts } from '../../../usage/client-tally.ts';
import type { Tally } from '../../../usage/tally.ts';
import type { CallerCalls, ClientUsage } from '../../store.ts';
import { addEncodedTallies, type EncodedTally, forEachVersion } from '../usage/details.ts';
import type { UsageEntries } from '../usage/usage-entries.ts';
import type { DimensionCache } from './dimension-cache.ts';

/** Adds the calls of some versions, with their clients. */
export function addClientsOfVersion(
  entries: UsageEntries,
  isVersion: (version: number) => boolean,
  tally: Tally,
): void {
  const own: EncodedTally[] = [];
  for (let i = 0; i < entries.length; i++) {
    forEachVersion(entries, i, (version, encoded) => {
      if (isVersion(version)) own.push(encoded);
    });
  }
  addEncodedTallies(tally, own);
}

/** The clients of a tally with most calls, most first; `{other}` last: those beyond the limit and past the bound. */
export function clientUsages(
  { clients, isWeighted }: Tally,
  dimensions: DimensionCache,
  limit: number,
): ClientUsage[] {
  const found: { client: number; calls: number }[] = [];
  clients.forEach((client, calls) => {
    found.push({ client, calls });
  });
  found.sort((a, b) => b.calls - a.calls || a.client - b.client);
  const other = clients.other;
  for (const { client } of found.splice(limit)) addCounts(other, clients.countsOf(client));
  const usages = found.map(({ client }) =>
    usageOf(dimensions.client(client), clients.countsOf(client), isWeighted),
  );
  return other.calls > 0 ? [...usages, usageOf(specialRoutes.other, other, isWeighted)] : usages;
}

/** Calls of one client. @param counts undefined when it has none */
export function callerCallsOf(counts: ClientCounts | undefined): CallerCalls {
  if (counts === undefined) return { calls: 0, errors: 0, outcomes: noOutcomes };
  const { calls, errors, outcomes, unrecorded } = usageOf('', counts, false);
  return { calls, errors, outcomes, ...(unrecorded !== undefined && { unrecorded }) };
}

const noOutcomes = outcomeCounts([0, 0, 0, 0]);

function addCounts(into: ClientCounts, more: ClientCounts): void {
  const isFirst = into.calls === 0;
  into.firstMinute = isFirst ? more.firstMinute : Math.min(into.firstMinute, more.firstMinute);
  into.lastMinute = Math.max(into.lastMinute, more.lastMinute);
  into.calls += more.calls;
  into.errors += more.errors;
  into.refused += more.refused;
  into.missing += more.missing;
  into.failed += more.failed;
  into.unrecorded += more.unrecorded;
}

function usageOf(client: string, counts: ClientCounts, isWeighted: boolean): ClientUsage {
  const { calls, errors, refused, missing, failed, unrecorded } = counts;
  const { firstMinute, lastMinute } = counts;
  const answered = calls - refused - missing - failed - unrecorded;
  return {
    client,
    calls,
    errors,
    outcomes: { answered, refused, missing, failed },
    ...(unrecorded > 0 && { unrecorded }),
    ...(firstMinute > 0 && { firstMinuteMs: firstMinute * 60_000 }),
    ...(lastMinute > 0 && { lastMinuteMs: lastMinute * 60_000 }),
    ...(isWeighted && { estimated: true as const }),
  };
}
