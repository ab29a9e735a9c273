import type { DurationBucket } from '../../../core/usage/usage.ts';

/**
 * The Apdex score (Apdex Technical Specification 1.1): satisfied calls take at most T, tolerating ones at most 4 T.
 * Statuses play no part: durations are not kept by status. T is met within the histogram's 1 %.
 * @returns 0 to 1 with four decimals; null where no call has a latency
 */
export function apdexOf(buckets: readonly DurationBucket[], thresholdMs: number): number | null {
  const thresholdUs = thresholdMs * 1000;
  let all = 0;
  let score = 0;
  for (const { us, calls } of buckets) {
    all += calls;
    if (us <= thresholdUs) score += calls;
    else if (us <= 4 * thresholdUs) score += calls / 2;
  }
  return all === 0 ? null : Math.round((score / all) * 10_000) / 10_000;
}
