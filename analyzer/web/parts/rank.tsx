import type { ReactNode } from 'react';
import { Link } from 'wouter';
import styles from './rank.module.css';

/** A short ordered list with bars behind the text: a bar's length is a share of the whole. */
export interface RankItem {
  key: string;
  name: ReactNode;
  value: ReactNode;
  /** From 0 to 1. */
  share?: number;
  bad?: boolean;
  /** The page of the item's own, where its name narrows the page that it stands on. */
  open?: { href: string; label: string };
}

export function Rank({ items, empty }: { items: readonly RankItem[]; empty: string }) {
  if (items.length === 0) return <p className={styles.empty}>{empty}</p>;
  return (
    <ol className={styles.rank}>
      {items.map(({ key, name, value, share = 0, bad, open }) => (
        <li key={key}>
          <span
            className={styles.bar}
            style={{ inlineSize: `${Math.min(100, Math.max(0, share * 100))}%` }}
          />
          <span className={styles.name}>{name}</span>
          <span className={bad ? styles.bad : styles.value}>{value}</span>
          {open && (
            <Link
              href={open.href}
              className={styles.open}
              aria-label={open.label}
              title={open.label}
            >
              →
            </Link>
          )}
        </li>
      ))}
    </ol>
  );
}
