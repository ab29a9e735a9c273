import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { EvidenceRow } from '../../api/answers.ts';
import { Name, Route } from '../../parts/route.tsx';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import styles from './dead.module.css';

/** The first line of an item of these lists: the endpoint with a link to its page, and its marks. */
export function ItemHead({ row, children }: { row: EvidenceRow; children?: ReactNode }) {
  const [search] = usePageSearch();
  return (
    <div className={styles.what}>
      <Link href={`/endpoints/${encodeURIComponent(row.id)}${writeSearch(carried(search))}`}>
        <Route method={row.method} route={row.route} />
      </Link>
      {children}
    </div>
  );
}

/** The service of an item, where a list holds several. */
export function ItemService({ row }: { row: EvidenceRow }) {
  return (
    <span className={styles.label}>
      <Name text={row.service} />
    </span>
  );
}
