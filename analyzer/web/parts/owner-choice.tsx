import { useMemo } from 'react';
import { usePageSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';

/** Narrows a page to the endpoints of one team. Nothing is there to choose before anything names an owner. */
export function OwnerChoice({ rows }: { rows: readonly { owner: string | null }[] }) {
  const [search, change] = usePageSearch();
  const owners = useMemo(() => [...new Set(rows.map(({ owner }) => owner ?? ''))].sort(), [rows]);
  if (search.owner === undefined && owners.every((owner) => owner === '')) return null;
  const shown =
    search.owner === undefined || owners.includes(search.owner)
      ? owners
      : [search.owner, ...owners];
  return (
    <select
      aria-label="Owner"
      value={search.owner === undefined ? 'all' : `of ${search.owner}`}
      onChange={({ target: { value } }) =>
        change({ owner: value === 'all' ? undefined : value.slice(3) })
      }
    >
      <option value="all">All owners</option>
      {shown.map((owner) => (
        <option key={owner} value={`of ${owner}`}>
          {owner === '' ? 'without an owner' : plainText(owner)}
        </option>
      ))}
    </select>
  );
}
