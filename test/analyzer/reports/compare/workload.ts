import type { ComparedSide } from '../../../../analyzer/reports/compare/comparison.ts';
import { Random } from '../../../../core/random.ts';
import type { Distribution, EndpointRecord } from '../../../../core/store/store.ts';
import { Tally } from '../../../../core/usage/tally.ts';

/** A made-up workload of many endpoints in two windows, as `compared` takes it. */
export interface Workload {
  endpoints: EndpointRecord[];
  before: ComparedSide;
  after: ComparedSide;
}

export interface WorkloadOptions {
  endpoints: number;
  /** Calls of endpoint n in each window. */
  callsOf: (n: number) => number;
  /** Width of the durations: 0.3 narrow, 0.5 usual, 1 wide. */
  sigma: number;
  /** How much the logarithm of the load of an endpoint wanders from interval to interval; 0: calls are independent. */
  wander?: number;
  /** How much of it an interval keeps of the one before; a third unless told. */
  memory?: number;
  /** The same for the day's cycle, which every window has once. */
  cycle?: number;
  /** Factor of the durations of endpoint 0 in the later window. */
  slowdown?: number;
  /** Error rates of endpoint 0. */
  errorRates?: [before: number, after: number];
}

const intervals = 36;

export function workload(seed: number, options: WorkloadOptions): Workload {
  const random = new Random(seed);
  const { wander = 0, memory = 0.35, cycle = 0, slowdown = 1, sigma } = options;
  const sides = [newSide(), newSide()] as const;
  const tally = new Tally();
  const windowTally = new Tally();
  const endpoints: EndpointRecord[] = [];
  for (let n = 0; n < options.endpoints; n++) {
    const id = String(n + 1);
    endpoints.push({
      id,
      service: 'shop',
      environment: '',
      method: 'GET',
      route: `/${n}`,
      display: `/${n}`,
    } as EndpointRecord);
    const medianUs = 2_000 * 100 ** random.next();
    const errorRate = random.next() ** 3 * 0.1;
    let load = 0;
    for (const [s, side] of sides.entries()) {
      const perInterval = options.callsOf(n) / intervals;
      const rate = n === 0 && options.errorRates ? options.errorRates[s]! : errorRate;
      const factor = n === 0 && s === 1 ? slowdown : 1;
      for (let i = 0; i < intervals; i++) {
        load = load * memory + wander * random.normal();
        const daily = cycle * Math.sin((2 * Math.PI * i) / intervals);
        const level = Math.exp(load + daily) * factor * medianUs;
        const busy = 1 + 0.5 * Math.sin((2 * Math.PI * i) / intervals);
        const calls = Math.round(
          perInterval * busy + Math.sqrt(perInterval * busy) * random.normal(),
        );
        for (let c = 0; c < calls; c++) {
          const ns = Math.round(random.lognormal(level, sigma) * 1000);
          const status = random.next() < rate * Math.exp(load) ? 500 : 200;
          tally.addCall(status, ns, 0, 0);
          windowTally.addCall(status, ns, 0, 0);
        }
        if (calls > 0) {
          side.intervals[i]!.set(id, {
            calls: tally.calls,
            errors: tally.errors,
            durations: tally.durations(),
          });
        }
        tally.clear();
      }
      if (windowTally.calls > 0) side.usages.set(id, windowTally.usage());
      windowTally.clear();
    }
  }
  return { endpoints, before: sides[0], after: sides[1] };
}

function newSide() {
  return {
    usages: new Map(),
    intervals: Array.from({ length: intervals }, () => new Map<string, Distribution>()),
  };
}
