import { z } from 'zod';
import type { CallUsage, percentiles } from '../../../core/usage/usage.ts';
import { count, millisecondsOrNull, percentOrNull } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { endpointColumns } from '../endpoint-columns.ts';
import { countOf, errorRatePct, percentileMs } from '../figures.ts';
import { type Comparison, verdicts } from './comparison.ts';
import type { VersionPair } from './version-pairs.ts';

const verdict = z.enum(verdicts);
const change = z.number().nullable();
const pValue = z.number().min(0).max(1).nullable();

/** A comparison as a row shows it. */
export interface ComparisonEntry extends Comparison {
  /** Of its service, where versions are compared. */
  versions?: VersionPair;
}

/** Null where one of the figures is, or where the earlier one is 0. */
function changePct(before: number | null, after: number | null): number | null {
  return before === null || after === null || before === 0
    ? null
    : Math.round(((after - before) / before) * 10_000) / 100;
}

const percentileColumns = (percentile: (typeof percentiles)[number]) => {
  const of = (usage: CallUsage) => percentileMs(usage, percentile);
  return {
    before: {
      type: millisecondsOrNull,
      about: 'in before_window, or of before_version; nearest rank, within 1 %; null without calls',
      value: ({ before }: Comparison) => of(before),
    },
    after: {
      type: millisecondsOrNull,
      about: 'in the window, or of version; nearest rank, within 1 %; null without calls',
      value: ({ after }: Comparison) => of(after),
    },
    change: {
      type: change,
      about: 'percent of the earlier one; null without both',
      value: ({ before, after }: Comparison) => changePct(of(before), of(after)),
    },
  };
};

const p50 = percentileColumns(50);
const p95 = percentileColumns(95);
const p99 = percentileColumns(99);

/** One endpoint in two windows, or of two versions. */
export const comparisonTable = tableOf<ComparisonEntry>()('ComparisonRow', {
  id: { type: z.string(), about: 'for /endpoints/{id}', value: ({ endpoint }) => endpoint.id },
  ...endpointColumns,
  route_display: {
    type: z.string(),
    about: 'the route as the service itself spells it',
    value: ({ endpoint }) => endpoint.display,
  },
  before_version: {
    type: z.string().optional(),
    about: 'the version of its service compared with; absent where windows are compared',
    value: ({ versions }) => versions?.before,
    sparse: true,
  },
  version: {
    type: z.string().optional(),
    about: 'the version of its service that is compared; absent where windows are compared',
    value: ({ versions }) => versions?.after,
    sparse: true,
  },
  verdict: {
    type: verdict,
    about: 'worse when durations or errors got worse, whatever the other did',
    value: ({ verdict: of }) => of,
    brief: true,
  },
  duration_verdict: {
    type: verdict,
    about:
      'by a rank test (Mann–Whitney); same where median and 95th percentile moved by less than 5 %',
    value: ({ duration }) => duration.verdict,
  },
  error_verdict: {
    type: verdict,
    about: 'by a test of two proportions; same where the rate moved by less than a tenth of itself',
    value: ({ errors }) => errors.verdict,
  },
  before_calls: {
    type: count,
    about: 'in before_window, or of before_version',
    value: ({ before }) => countOf(before.calls),
    brief: true,
  },
  calls: {
    type: count,
    about: 'in the window, or of version',
    value: ({ after }) => countOf(after.calls),
    brief: true,
  },
  calls_change_pct: {
    type: change,
    about: 'percent of the earlier calls; null without any',
    value: ({ before, after }) => changePct(before.calls, after.calls),
  },
  before_error_rate_pct: {
    type: percentOrNull,
    about: 'in before_window, or of before_version; null without calls',
    value: ({ before }) => errorRatePct(before),
    brief: true,
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'in the window, or of version; null without calls',
    value: ({ after }) => errorRatePct(after),
    brief: true,
  },
  error_rate_change_points: {
    type: change,
    about: 'percentage points; null without both',
    value: ({ before, after }) => {
      const [was, is] = [errorRatePct(before), errorRatePct(after)];
      return was === null || is === null ? null : Math.round((is - was) * 10_000) / 10_000;
    },
  },
  before_p50_duration_ms: { ...p50.before, brief: true },
  p50_duration_ms: { ...p50.after, brief: true },
  p50_change_pct: p50.change,
  before_p95_duration_ms: { ...p95.before, brief: true },
  p95_duration_ms: { ...p95.after, brief: true },
  p95_change_pct: p95.change,
  before_p99_duration_ms: p99.before,
  p99_duration_ms: p99.after,
  p99_change_pct: p99.change,
  duration_p: {
    type: pValue,
    about:
      'of the rank test, adjusted over all endpoints (Benjamini–Hochberg); null without a test',
    value: ({ duration }) => duration.p,
  },
  error_p: {
    type: pValue,
    about: 'of the test of proportions, adjusted; null without a test',
    value: ({ errors }) => errors.p,
  },
});

export type ComparisonRow = z.output<typeof comparisonTable.schema>;
