import { Link } from 'wouter';
import type { RankItem } from '../../parts/rank.tsx';
import { Name } from '../../parts/route.tsx';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import { carriedWithSlice } from '../../state/slice.ts';
import { plainText } from '../../state/text.ts';
import styles from './overview.module.css';

/** A client's item: its address narrows the page to it, and a link opens it among the clients. */
export function useClientItem(): (ip: string) => Pick<RankItem, 'key' | 'name' | 'open'> {
  const [search, change] = usePageSearch();
  return (ip) => ({
    key: ip,
    name: (
      <button type="button" onClick={() => change({ calls: { client: ip } })}>
        <Name text={ip} />
      </button>
    ),
    open: {
      href: `/clients${writeSearch({ ...carried(search), q: ip })}`,
      label: `open ${plainText(ip)}`,
    },
  });
}

/** What stands where a figure is not known. @param why as `durations not kept by client` */
export function NotKept({ why }: { why: string }) {
  const [search] = usePageSearch();
  const sentence = `${why[0]!.toUpperCase()}${why.slice(1).replace(' not', ' are not')}. `;
  return (
    <p className={styles.text}>
      {sentence}
      <Link href={`/calls${writeSearch(carriedWithSlice(search))}`}>The single calls</Link> have
      them, as long as they are kept.
    </p>
  );
}
