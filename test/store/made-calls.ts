import { Random } from '../../core/random.ts';
import { copiesOf } from '../../core/weight.ts';
import { allTime, dayS, hourS, minuteS, type Window } from '../../core/window.ts';

/** A call of the contract, made up: plain enough that whatever is asked of many can be counted again. */
export interface PlainCall {
  service: string;
  method: string;
  route: string;
  status: number;
  durationNs: number;
  endS: number;
  endNs: number;
  client: string;
  /** 1 unless told. */
  weight?: number;
}

export function weightOf({ weight = 1 }: PlainCall): number {
  return weight;
}

export function endMs({ endS, endNs }: PlainCall): number {
  return endS * 1000 + Math.floor(endNs / 1e6);
}

/** As a collector would: by chance, and the same for the same call. */
export function copies(call: PlainCall): number {
  return copiesOf(weightOf(call), new Random(call.durationNs + call.endNs).next());
}

/** Calls whose ends lie up to `spanS` back: half of them in the last hour. */
export function randomCalls(
  seed: number,
  count: number,
  nowS: number,
  routes: number,
  spanS = 40 * dayS,
): PlainCall[] {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return Array.from({ length: count }, () => {
    const age = random.next() < 0.5 ? random.next() * hourS : random.next() * spanS;
    return {
      service: pick(['shop', 'orders']),
      method: pick(['GET', 'POST']),
      route: `/r${Math.floor(random.next() * routes)}`,
      status: pick([200, 200, 200, 201, 404, 500, 0]),
      durationNs: Math.round(50_000 * 1_200_000 ** random.next()),
      endS: Math.floor(nowS - age),
      endNs: Math.floor(random.next() * 1e9),
      client: random.next() < 0.1 ? '' : `192.0.2.${Math.floor(random.next() * 200)}`,
    };
  });
}

/** The same calls, each with one of the weights. */
export function weighted(
  seed: number,
  calls: PlainCall[],
  weights: readonly number[],
): PlainCall[] {
  const random = new Random(seed);
  return calls.map((call) => ({
    ...call,
    weight: weights[Math.floor(random.next() * weights.length)]!,
  }));
}

export function randomWindows(seed: number, nowS: number, count: number): Window[] {
  const random = new Random(seed);
  const minute = (s: number): number => Math.floor(s / minuteS) * minuteS;
  return [
    allTime,
    { fromS: minute(nowS) - 30 * dayS, toS: minute(nowS) + 60 },
    ...Array.from({ length: count }, () => {
      const fromS = minute(nowS - random.next() ** 3 * 41 * dayS);
      return { fromS, toS: fromS + minuteS * Math.ceil(1 + random.next() ** 2 * 20_000) };
    }),
  ];
}
