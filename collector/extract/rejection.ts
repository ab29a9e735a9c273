import type { TracesReader } from '../otlp/traces-reader.ts';
import type { RejectReason } from './counts.ts';

/**
 * Why a span cannot be counted; null when it can.
 * @param endS its end, in seconds since the epoch like the bounds
 */
export function rejectionOf(
  walk: TracesReader,
  endS: number,
  oldestS: number,
  latestS: number,
): RejectReason | null {
  if (walk.traceIdLength !== 16 && walk.traceIdLength !== 0) return 'trace_id';
  if (walk.spanIdLength !== 8 && walk.spanIdLength !== 0) return 'span_id';
  if ((walk.startHigh | walk.startLow) === 0 || (walk.endHigh | walk.endLow) === 0) {
    return 'time_zero';
  }
  if (endS > latestS) return 'future';
  return endS < oldestS ? 'too_old' : null;
}
