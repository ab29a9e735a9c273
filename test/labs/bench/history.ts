import { CallBatch, CallDictionary, type NewDimensions } from '../../../core/call.ts';
import { Random } from '../../../core/random.ts';
import type { CallWriter } from '../../../core/store/store.ts';
import { Zipf } from '../load/zipf.ts';

/**
 * Ninety days of 1,000 endpoints, written through the writer's own door in the order of time: a daily and
 * weekly rhythm, lognormal durations, 200 clients an endpoint of which few call most, consumers and versions.
 */
export interface History {
  calls: number;
  endpoints: number;
  days: number;
  nowS: number;
  seed: number;
  /** Deliveries that the store has taken already: equal numbers are equal deliveries. */
  deliveriesBefore?: number;
  /** All calls end within so many seconds before `nowS`. */
  lastS?: number;
}

const services = 10;
const clientsPerEndpoint = 200;
const clientsAltogether = 20_000;
const hourS = 3600;
/** Share of a day's calls, by hour UTC. */
const rhythm = [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 8, 9, 9, 8, 8, 7, 6, 6, 5, 4, 3, 3];
const weekendShare = 0.5;
const batchCalls = 16_384;

export async function writeHistory(writer: CallWriter, history: History): Promise<void> {
  const random = new Random(history.seed);
  const dictionary = new CallDictionary();
  const make = callMaker(dictionary, history, random);
  let batch = new CallBatch();
  let bodies = history.deliveriesBefore ?? 0;
  const waiting: Promise<unknown>[] = [];
  const flush = async (): Promise<void> => {
    bodies += 1;
    const digest = new Uint8Array(16);
    new DataView(digest.buffer).setUint32(0, bodies);
    batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
    const words: NewDimensions = dictionary.takeNew();
    waiting.push(writer.append(batch, words));
    batch = new CallBatch();
    if (waiting.length > 3) await waiting.shift();
  };
  const { lastS, nowS, calls: all } = history;
  const ranges = lastS === undefined ? hours(history) : [[nowS - lastS, all] as const];
  for (const [startS, calls] of ranges) {
    for (let n = 0; n < calls; n += 1) {
      make(batch, startS + Math.floor((n / calls) * (lastS ?? hourS)));
      if (batch.length === batchCalls) await flush();
    }
  }
  if (batch.length > 0) await flush();
  await Promise.all(waiting);
}

/** Start of each hour and its number of calls, which add up to the history's. */
function hours({ calls, days, nowS }: History): [number, number][] {
  const firstS = (Math.floor(nowS / hourS) - days * 24) * hourS;
  const weights = Array.from({ length: days * 24 }, (_, hour) => {
    const day = Math.floor((firstS + hour * hourS) / 86_400);
    const weekend = (day + 4) % 7 === 0 || (day + 4) % 7 === 6;
    return rhythm[hour % 24]! * (weekend ? weekendShare : 1);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let weight = 0;
  let done = 0;
  return weights.map((share, hour) => {
    weight += share;
    const until = Math.round((calls * weight) / total);
    const here = until - done;
    done = until;
    return [firstS + hour * hourS, here];
  });
}

/** Fills the next call of a batch. */
function callMaker(
  dictionary: CallDictionary,
  { endpoints }: History,
  random: Random,
): (batch: CallBatch, endS: number) => void {
  const endpointIds = Array.from({ length: endpoints }, (_, n) =>
    dictionary.endpoint({
      project: 'default',
      service: `service-${n % services}`,
      environment: 'production',
      method: ['GET', 'GET', 'GET', 'POST'][n % 4]!,
      route: `/api/v1/resource-${n}/{id}`,
      templated: false,
    }),
  );
  const clientIds = Array.from({ length: clientsAltogether }, (_, n) =>
    dictionary.client(`198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`),
  );
  const contextOf = callContexts(dictionary);
  const medians = Array.from({ length: endpoints }, () => random.lognormal(20e6, 1));
  const whichEndpoint = new Zipf(endpoints, 0.8);
  const whichClient = new Zipf(clientsPerEndpoint, 1);
  return (batch, endS) => {
    const at = batch.push();
    const { columns } = batch;
    const endpoint = whichEndpoint.pick(random);
    const client = (endpoint * 37 + whichClient.pick(random)) % clientsAltogether;
    const drawn = random.u32();
    columns.endpoint[at] = endpointIds[endpoint]!;
    columns.origin[at] = contextOf(endS, drawn);
    columns.client[at] = clientIds[client]!;
    columns.endS[at] = endS;
    columns.endNs[at] = drawn % 1_000_000_000;
    columns.durationNs[at] = Math.floor(random.lognormal(medians[endpoint]!, 0.8));
    columns.status[at] = drawn % 50 > 0 ? 200 : drawn % 100 > 0 ? 404 : 500;
    columns.requestBytes[at] = -1;
    columns.responseBytes[at] = drawn % 65_536;
    new DataView(columns.traceId.buffer, columns.traceId.byteOffset).setUint32(at * 16, drawn);
  };
}

/** Numbers of contexts: 24 consumers of which few call most, four agents, a release of all services every ten days. */
function callContexts(dictionary: CallDictionary): (endS: number, chance: number) => number {
  const agents = ['okhttp', 'Chrome', 'python-requests', 'Googlebot'];
  const known = new Map<number, number>();
  return (endS, chance) => {
    const release = Math.floor(endS / (10 * 86_400));
    const consumer = Math.floor(24 * ((chance >>> 8) / 2 ** 24) ** 2);
    const key = release * 24 + consumer;
    let number = known.get(key);
    if (number === undefined) {
      const agent = agents[consumer % agents.length]!;
      number = dictionary.origin({
        serviceVersion: `1.${release}.0`,
        consumer: consumer % 3 === 0 ? '' : `partner-${consumer}`,
        agent,
        bot: agent === 'Googlebot',
        errorType: '',
      });
      known.set(key, number);
    }
    return number;
  };
}
