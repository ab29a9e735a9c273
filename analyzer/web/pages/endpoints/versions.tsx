import { Link } from 'wouter';
import type { EndpointRow, VersionRow } from '../../api/answers.ts';
import { useVersionVerdict } from '../../api/compare.ts';
import { Value } from '../../parts/figure-value.tsx';
import { Name } from '../../parts/route.tsx';
import { ago, compact, duration, moment, percent } from '../../state/format.ts';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import { plainText } from '../../state/text.ts';
import { VerdictWord } from '../compare/verdict-word.tsx';
import styles from './drawer.module.css';

/** Versions in the table: the latest ones answer whether a release made the endpoint slower. */
const versionsShown = 8;

/** An endpoint's calls by service version, the version that was called last first. */
export function Versions({ versions, row }: { versions: readonly VersionRow[]; row: EndpointRow }) {
  const [search] = usePageSearch();
  if (versions.length === 0) return null;
  const left = versions.length - versionsShown;
  return (
    <section className={styles.part}>
      <h3>Versions</h3>
      <table className={styles.versions}>
        <thead>
          <tr>
            <th scope="col">version</th>
            <th scope="col">calls</th>
            <th scope="col">errors</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">since</th>
            <th scope="col" title="than the version before it, beyond what chance explains">
              verdict
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.slice(0, versionsShown).map((one) => (
            <tr key={one.version ?? ''}>
              <td>
                <Name text={one.version ?? ''} empty="not told" />
              </td>
              <td>
                <Value of={one.calls} as={compact} />
              </td>
              <td>
                <Value of={one.error_rate_pct} as={percent} />
              </td>
              <td>
                <Value of={one.p50_duration_ms} as={duration} />
              </td>
              <td>
                <Value of={one.p95_duration_ms} as={duration} />
              </td>
              <td>
                {one.first_called_at !== null && (
                  <time dateTime={one.first_called_at} title={moment(one.first_called_at)}>
                    {ago(one.first_called_at)}
                  </time>
                )}
              </td>
              <td>
                <VersionVerdict row={row} versions={pairOf(one, versions)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p className={styles.more}>{`and ${left} earlier`}</p>}
      {versions.length > 1 && (
        <p className={styles.more}>
          <Link
            href={`/compare${writeSearch({ ...carried(search), service: row.service, environment: row.environment, by: 'version' })}`}
          >
            Compare two versions of this service
          </Link>
        </p>
      )}
    </section>
  );
}

/** A version and the one that was first called before it; nothing for the oldest, and for calls without a version. */
function pairOf(
  { version, first_called_at: at }: VersionRow,
  versions: readonly VersionRow[],
): { version: string; before: string } | undefined {
  if (!version || at === null) return undefined;
  const earlier = versions.filter((one) => one.version && (one.first_called_at ?? at) < at);
  earlier.sort((a, b) => (a.first_called_at! < b.first_called_at! ? 1 : -1));
  const before = earlier[0]?.version;
  return before ? { version, before } : undefined;
}

/** Worse or better than the version before; the word of the comparison page. */
function VersionVerdict({
  row,
  versions,
}: {
  row: EndpointRow;
  versions: { version: string; before: string } | undefined;
}) {
  const [search] = usePageSearch();
  const found = useVersionVerdict(row, search.period, versions);
  if (versions === undefined || found === undefined) return null;
  const before = [
    `p95 ${duration(found.before_p95_duration_ms)}`,
    `errors ${percent(found.before_error_rate_pct)}`,
  ].join(', ');
  return (
    <span title={plainText(`than ${versions.before}: ${before}`)}>
      <VerdictWord verdict={found.verdict} />
    </span>
  );
}
