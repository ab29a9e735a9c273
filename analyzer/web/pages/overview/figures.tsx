import { type ReactNode, useId } from 'react';
import type { Report, Summary } from '../../api/answers.ts';
import { Value } from '../../parts/figure-value.tsx';
import { statusWord } from '../../parts/status.tsx';
import {
  compact,
  duration,
  exact,
  percent,
  points,
  relativeChange,
  signed,
} from '../../state/format.ts';
import { type Figure, figures, usePageSearch } from '../../state/search.ts';
import styles from './figures.module.css';
import type { FiguresProps } from './figures-props.ts';
import { LargeChart } from './large-chart.tsx';

/** Five figures, each with its change; they are the tabs of the one large chart under them. */
export function Figures(props: FiguresProps) {
  const [search, change] = usePageSearch();
  const id = useId();
  const shown = figuresOf(props);
  return (
    <section className={styles.panel} aria-label="Figures">
      <div className={styles.figures} role="tablist" aria-label="Figures">
        {figures.map((figure, index) => {
          const { label, value, delta, isBad } = shown[figure];
          const isChosen = figure === search.figure;
          return (
            <button
              key={figure}
              type="button"
              role="tab"
              id={`${id}${figure}`}
              className={styles.figure}
              aria-selected={isChosen}
              aria-controls={`${id}chart`}
              tabIndex={isChosen ? 0 : -1}
              onClick={() => change({ figure })}
              onKeyDown={({ key }) => {
                const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
                if (step === 0) return;
                const next = figures[(index + step + figures.length) % figures.length]!;
                change({ figure: next });
                document.getElementById(`${id}${next}`)?.focus();
              }}
            >
              <span className={styles.label}>{label}</span>
              <span className={styles.value}>{value}</span>
              <span className={isBad ? styles.bad : styles.delta}>{delta}</span>
            </button>
          );
        })}
      </div>
      <div
        role="tabpanel"
        id={`${id}chart`}
        aria-label={shown[search.figure].label}
        className={styles.chart}
      >
        <LargeChart {...props} figure={search.figure} />
      </div>
    </section>
  );
}

interface Shown {
  label: string;
  value: ReactNode;
  delta: ReactNode;
  isBad?: boolean;
}

function figuresOf(props: FiguresProps): Record<Figure, Shown> {
  const known = knownFigures(props);
  for (const figure of figures) {
    const why = props.unknown?.[figure];
    if (why !== undefined) known[figure] = { ...known[figure], delta: why, isBad: false };
  }
  return known;
}

function knownFigures({ summary, compared, report }: FiguresProps): Record<Figure, Shown> {
  const now = summary.summary;
  const before = compared?.summary.summary;
  return {
    requests: {
      label: now.total_requests_interval ? 'Requests, estimated' : 'Requests',
      value: <Value of={now.total_requests} as={compact} />,
      delta: compared && (requestsChange(summary, compared.summary) ?? noneBefore),
    },
    errors: {
      label: 'Error rate',
      value: <Value of={now.error_rate_pct} as={percent} />,
      ...(before && rateChange(now.error_rate_pct, before.error_rate_pct)),
      ...(!before && { delta: undefined }),
    } as Shown,
    p95: {
      label: 'p95',
      value: <Value of={now.p95_response_time_ms} as={duration} />,
      ...(before && durationChange(now.p95_response_time_ms, before.p95_response_time_ms)),
      ...(!before && { delta: undefined }),
    } as Shown,
    clients: {
      label: 'Clients',
      value: <Value of={now.unique_ips} as={compact} />,
      delta: before && countChange(now.unique_ips, before.unique_ips),
    },
    endpoints: {
      label: 'Endpoints',
      value: <Value of={report?.summary.total_endpoints} as={compact} />,
      delta: report && (
        <>
          {before && `${countChange(now.called_endpoints, before.called_endpoints)} called · `}
          {statusesText(report, before === undefined ? 2 : 1)}
        </>
      ),
    },
  };
}

/** By the hour: the window before may be kept more coarsely, and be a little longer. */
function requestsChange(now: Summary, before: Summary): string | null {
  const hours = ({ window }: Summary) =>
    (Date.parse(window.to) - Date.parse(window.from)) / 3_600_000;
  return relativeChange(
    now.summary.total_requests / hours(now),
    before.summary.total_requests / hours(before),
  );
}

const noneBefore = 'no calls before';

function rateChange(now: number | null, before: number | null): Pick<Shown, 'delta' | 'isBad'> {
  if (now === null || before === null) return { delta: noneBefore };
  const change = now - before;
  const delta = Math.abs(change) < 0.005 ? '±0 points' : signed(change, points);
  return { delta, isBad: change >= 0.1 };
}

function durationChange(now: number | null, before: number | null): Pick<Shown, 'delta' | 'isBad'> {
  if (now === null || before === null) return { delta: noneBefore };
  // The histogram's own error is 1 %.
  const delta = Math.abs(now - before) < 0.01 * now ? '±0 ms' : signed(now - before, duration);
  return { delta, isBad: now > 1.25 * before };
}

function countChange(now: number | null, before: number | null): string {
  const change = (now ?? 0) - (before ?? 0);
  return change === 0 ? '±0' : signed(change, exact);
}

/** @param most states that are named: there is room for a few words */
function statusesText({ summary }: Report, most: number): string {
  const said = (['dead', 'never_called', 'cold'] as const)
    .filter((status) => summary[status] > 0)
    .map((status) => `${exact(summary[status])} ${statusWord(status)}`);
  if (summary.total_endpoints === 0) return 'none';
  return said.length === 0 ? 'all in use' : said.slice(0, most).join(', ');
}
