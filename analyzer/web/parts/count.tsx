import type { ReactNode } from 'react';
import { exact } from '../state/format.ts';
import styles from './count.module.css';
import { Value } from './figure-value.tsx';

/** Large numbers beside each other, each with its name and what it counts. */
export function Counts({ label = 'Counts', children }: { label?: string; children: ReactNode }) {
  return (
    <section className={styles.counts} aria-label={label}>
      {children}
    </section>
  );
}

export function Count({
  name,
  count,
  children,
}: {
  name: string;
  count: number;
  children: ReactNode;
}) {
  return (
    <div>
      <span className={styles.name}>{name}</span>
      <b>
        <Value of={count} as={exact} />
      </b>
      <span className={styles.about}>{children}</span>
    </div>
  );
}
