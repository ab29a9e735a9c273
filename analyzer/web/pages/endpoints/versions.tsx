import { Link } from 'wouter';
import type { EndpointRow, VersionRow } from '../../api/answers.ts';
import { Value } from '../../parts/figure-value.tsx';
import { Name } from '../../parts/route.tsx';
import { ago, compact, duration, moment, percent } from '../../state/format.ts';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
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
          </tr>
        </thead>
        <tbody>
          {versions.slice(0, versionsShown).map((row) => (
            <tr key={row.version ?? ''}>
              <td>
                <Name text={row.version ?? ''} empty="not told" />
              </td>
              <td>
                <Value of={row.calls} as={compact} />
              </td>
              <td>
                <Value of={row.error_rate_pct} as={percent} />
              </td>
              <td>
                <Value of={row.p50_duration_ms} as={duration} />
              </td>
              <td>
                <Value of={row.p95_duration_ms} as={duration} />
              </td>
              <td>
                {row.first_called_at !== null && (
                  <time dateTime={row.first_called_at} title={moment(row.first_called_at)}>
                    {ago(row.first_called_at)}
                  </time>
                )}
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
