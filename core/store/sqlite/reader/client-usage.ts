import { specialRoutes } from '../../../limits.ts';
import { outcomeCounts } from '../../../outcome.ts';
import type { ClientCounts, ClientTally } from '../../../usage/client-tally.ts';
import type { Tally } from '../../../usage/tally.ts';
import type { CallerCalls, ClientUsage } from '../../store.ts';
import { addEncodedTallies, type EncodedTally, forEachVersion } from '../usage/details.ts';
import { sortBy } from '../usage/radix-sort.ts';
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
  const numbers = mostCallsFirst(clients);
  const usages: ClientUsage[] = [];
  const listed = Math.min(limit, numbers.length);
  for (let i = 0; i < listed; i++) {
    const client = numbers[i]!;
    usages.push(usageOf(dimensions.client(client), clients.countsOf(client), isWeighted));
  }
  const other = clients.other;
  for (let i = listed; i < numbers.length; i++) clients.addTo(other, numbers[i]!);
  if (other.calls > 0) usages.push(usageOf(specialRoutes.other, other, isWeighted));
  return usages;
}

/** Calls of one client. @param counts undefined when it has none */
export function callerCallsOf(counts: ClientCounts | undefined): CallerCalls {
  if (counts === undefined) return { calls: 0, errors: 0, outcomes: noOutcomes };
  const { calls, errors, outcomes, unrecorded } = usageOf('', counts, false);
  return { calls, errors, outcomes, ...(unrecorded !== undefined && { unrecorded }) };
}

const noOutcomes = outcomeCounts([0, 0, 0, 0]);

/** The clients' numbers; of two with equal calls the lower one first. */
function mostCallsFirst(clients: ClientTally): Uint32Array {
  const { size } = clients;
  const numbers = new Int32Array(size);
  const calls = new Float64Array(size);
  const negated = new Int32Array(size);
  let i = 0;
  let areInt32 = true;
  clients.forEach((client, own) => {
    numbers[i] = client;
    calls[i] = own;
    negated[i] = -own;
    if (negated[i] !== -own) areInt32 = false;
    i += 1;
  });
  const order = areInt32
    ? sortBy(size, numbers, negated)
    : sortBy(size, numbers).sort((a, b) => calls[b]! - calls[a]!);
  for (let place = 0; place < size; place++) order[place] = numbers[order[place]!]!;
  return order;
}

function usageOf(client: string, counts: ClientCounts, isWeighted: boolean): ClientUsage {
  const { calls, errors, refused, missing, failed, unrecorded } = counts;
  const { firstMinute, lastMinute } = counts;
  const answered = calls - refused - missing - failed - unrecorded;
  const outcomes = { answered, refused, missing, failed };
  const usage: ClientUsage = { client, calls, errors, outcomes };
  if (unrecorded > 0) usage.unrecorded = unrecorded;
  if (firstMinute > 0) usage.firstMinuteMs = firstMinute * 60_000;
  if (lastMinute > 0) usage.lastMinuteMs = lastMinute * 60_000;
  if (isWeighted) usage.estimated = true;
  return usage;
}
