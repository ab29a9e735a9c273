import { Random } from '../../../core/random.ts';
import { observedDays, startMs } from './endpoints.ts';

/** The services of the synthetic endpoints: when they are heard, and when they are not. */
export interface SyntheticService {
  name: string;
  /** Calls of the time in which it is open; the endpoint `/pulse` has them. */
  pulse: number[];
  /** Nobody can call it. */
  outages: Span[];
  /** It is called, and its spans are lost: its exporter or Rollcall is away. */
  lost: Span[];
  /** Probability that a call is sampled, from a day on. */
  sampling: { fromDay: number; probability: number };
}

interface Span {
  from: number;
  to: number;
}

export function syntheticServices(seed: number, count: number): SyntheticService[] {
  return Array.from({ length: count }, (_, n) => {
    const random = new Random(seed, n);
    const isOffice = n % 4 === 3;
    const pulse: number[] = [];
    for (let hour = 0; hour < observedDays * 24; hour++) {
      const at = new Date(startMs + hour * 3_600_000);
      const isOpen = at.getUTCHours() >= 7 && at.getUTCHours() < 19 && at.getUTCDay() % 6 !== 0;
      if (!isOffice || isOpen) pulse.push((hour + random.next()) / 24);
    }
    const spans = (most: number): Span[] =>
      Array.from({ length: random.below(most + 1) }, () => {
        const from = random.next() * observedDays;
        // From two hours to ten days.
        return { from, to: from + (2 / 24) * 120 ** random.next() };
      });
    const probability = [1, 1, 1, 1, 1, 0.5, 0.1, 0.01][n % 8]!;
    const fromDay = n % 16 < 8 ? 0 : 150 + random.below(150);
    const sampling = { fromDay, probability };
    return { name: `service-${n}`, pulse, outages: spans(3), lost: spans(4), sampling };
  });
}

export function isWithin(spans: readonly Span[], at: number): boolean {
  return spans.some(({ from, to }) => at >= from && at < to);
}
