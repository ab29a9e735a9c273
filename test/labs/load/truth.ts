/**
 * What a report must say, computed the slow exact way: every call is kept, every answer is a fresh walk.
 */
export interface TrueCall {
  service: string;
  environment: string;
  method: string;
  /** Canonical. */
  route: string;
  status: number;
  durationNs: number;
  endNs: bigint;
  /** Empty when unknown. */
  client: string;
}

export interface TrueUsage {
  calls: number;
  errors4xx: number;
  errors5xx: number;
  sumNs: number;
  minNs: number;
  maxNs: number;
  /** Durations in ascending order. */
  durationsNs: Float64Array;
  uniqueClients: number;
  firstEndNs: bigint;
  lastEndNs: bigint;
}

/** Whole seconds since the epoch, half-open; a call belongs to the second its end lies in. */
export interface TrueWindow {
  fromS: number;
  toS: number;
}

export function endpointKey(call: Pick<TrueCall, 'service' | 'method' | 'route'>): string {
  return `${call.service} ${call.method} ${call.route}`;
}

export class Truth {
  #calls = new Map<string, TrueCall[]>();

  add(call: TrueCall): void {
    const key = endpointKey(call);
    const calls = this.#calls.get(key);
    if (calls === undefined) this.#calls.set(key, [call]);
    else calls.push(call);
  }

  /** Usage of each endpoint that was called in the window, by `endpointKey`. */
  usage(window: TrueWindow): Map<string, TrueUsage> {
    const usages = new Map<string, TrueUsage>();
    for (const [key, all] of this.#calls) {
      const calls = all.filter(({ endNs }) => isWithin(endNs, window));
      if (calls.length > 0) usages.set(key, usageOf(calls));
    }
    return usages;
  }
}

/** The value of rank ⌈n·p/100⌉ of the ascending values. */
export function nearestRank(ascending: Float64Array, percent: number): number {
  return ascending[Math.max(1, Math.ceil((ascending.length * percent) / 100)) - 1]!;
}

function isWithin(endNs: bigint, { fromS, toS }: TrueWindow): boolean {
  const endS = Number(endNs / 1_000_000_000n);
  return fromS <= endS && endS < toS;
}

function usageOf(calls: readonly TrueCall[]): TrueUsage {
  const durationsNs = Float64Array.from(calls, (call) => call.durationNs).sort();
  const endsNs = BigInt64Array.from(calls, (call) => call.endNs).sort();
  return {
    calls: calls.length,
    errors4xx: calls.filter(({ status }) => status >= 400 && status < 500).length,
    errors5xx: calls.filter(({ status }) => status >= 500).length,
    sumNs: durationsNs.reduce((sum, value) => sum + value, 0),
    minNs: durationsNs[0]!,
    maxNs: durationsNs.at(-1)!,
    durationsNs,
    uniqueClients: new Set(calls.map(({ client }) => client).filter((client) => client !== ''))
      .size,
    firstEndNs: endsNs[0]!,
    lastEndNs: endsNs.at(-1)!,
  };
}
