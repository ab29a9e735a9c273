import { type ReactNode, useId, useState } from 'react';
import styles from './panel.module.css';

/** A box with a heading. */
export function Panel({
  title,
  hint,
  children,
}: {
  title: string;
  hint?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <h2 className={styles.heading} id={id}>
        {title} {hint !== undefined && <small>{hint}</small>}
      </h2>
      {children}
    </section>
  );
}

export interface Tab {
  name: string;
  /** What the numbers are, in a few words. */
  hint?: string;
  content: () => ReactNode;
}

/** A box with a few lists in one place. */
export function TabPanel({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const [chosen, choose] = useState(0);
  const id = useId();
  const tab = tabs[Math.min(chosen, tabs.length - 1)]!;
  return (
    <section className={styles.panel} aria-label={label}>
      <div className={styles.tabs} role="tablist" aria-label={label}>
        {tabs.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${index}`}
            aria-selected={tab.name === name}
            aria-controls={`${id}-content`}
            tabIndex={tab.name === name ? 0 : -1}
            onClick={() => choose(index)}
            onKeyDown={(event) => {
              const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
              if (step === 0) return;
              const next = (index + step + tabs.length) % tabs.length;
              choose(next);
              document.getElementById(`${id}-${next}`)?.focus();
            }}
          >
            {name}
          </button>
        ))}
        {tab.hint !== undefined && <small>{tab.hint}</small>}
      </div>
      <div role="tabpanel" id={`${id}-content`} aria-label={tab.name}>
        {tab.content()}
      </div>
    </section>
  );
}
