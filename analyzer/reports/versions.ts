import { z } from 'zod';
import { limits, specialRoutes } from '../../core/limits.ts';
import type { EndpointRecord, VersionRecord, VersionUsage } from '../../core/store/store.ts';
import type { CallUsage } from '../../core/usage/usage.ts';
import { isoTime } from '../../core/window.ts';
import { count, millisecondsOrNull, percentOrNull, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import {
  averageMs,
  countOf,
  emptyUsage,
  errorCount,
  errorRatePct,
  mostMs,
  outcomeCount,
  percent,
  percentileMs,
} from './figures.ts';

/** One service version of an endpoint: its calls in the window, and its life. */
export interface VersionEntry {
  version: string;
  usage: CallUsage;
  /** Calls of the endpoint in the window. */
  allCalls: number;
  record?: VersionRecord;
}

const percentileColumn = (percentile: 50 | 75 | 90 | 95 | 99) => ({
  type: millisecondsOrNull,
  about: 'nearest rank, within 1 %; null without calls in the window',
  value: ({ usage }: VersionEntry) => percentileMs(usage, percentile),
});

export const versionTable = tableOf<VersionEntry>()('VersionRow', {
  version: {
    type: z.string().nullable(),
    about: `service.version; null when the span had none; {other}: the oldest of more than ${limits.versionsPerEndpoint}`,
    value: ({ version }) => version || null,
    brief: true,
  },
  calls: {
    type: count,
    about: 'calls in the window',
    value: ({ usage }) => countOf(usage.calls),
    brief: true,
  },
  share_pct: {
    type: percentOrNull,
    about: 'of all calls of the endpoint in the window',
    value: ({ usage, allCalls }) => percent(usage.calls, allCalls),
  },
  errors: {
    type: count,
    about: 'of those, statuses of 400 or more',
    value: ({ usage }) => errorCount(usage),
    brief: true,
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'errors of calls',
    value: ({ usage }) => errorRatePct(usage),
    brief: true,
  },
  answered_count: {
    type: count,
    about: 'statuses 100 to 399',
    value: ({ usage }) => outcomeCount(usage, 'answered'),
  },
  avg_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls in the window',
    value: ({ usage }) => averageMs(usage),
    brief: true,
  },
  p50_duration_ms: { ...percentileColumn(50), brief: true },
  p75_duration_ms: percentileColumn(75),
  p90_duration_ms: percentileColumn(90),
  p95_duration_ms: { ...percentileColumn(95), brief: true },
  p99_duration_ms: { ...percentileColumn(99), brief: true },
  max_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls in the window',
    value: ({ usage }) => mostMs(usage),
  },
  first_called_at: {
    type: time.nullable(),
    about: `lifetime; null of {other} and of versions before the last ${limits.versionsPerRecord}`,
    value: ({ record }) => (record ? isoTime(record.firstCallMs) : null),
    brief: true,
  },
  last_called_at: {
    type: time.nullable(),
    about: `lifetime; null of {other} and of versions before the last ${limits.versionsPerRecord}`,
    value: ({ record }) => (record ? isoTime(record.lastCallMs) : null),
    brief: true,
  },
});

export type VersionRow = z.output<typeof versionTable.schema>;

/** Versions of an endpoint that were called in the window or are in its record: newest last call first. */
export function versionEntries(
  usages: readonly VersionUsage[],
  { versions }: Pick<EndpointRecord, 'versions'>,
  allCalls: number,
): VersionEntry[] {
  const known = new Map(usages.map(({ version, usage }) => [version, usage]));
  const named = versions.filter(({ version }) => version !== specialRoutes.other);
  const entries = named.map((record): VersionEntry => {
    const usage = known.get(record.version) ?? emptyUsage;
    known.delete(record.version);
    return { version: record.version, usage, allCalls, record };
  });
  for (const [version, usage] of known) entries.push({ version, usage, allCalls });
  return entries;
}
