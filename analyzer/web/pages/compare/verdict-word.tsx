import type { ComparisonRow } from '../../api/answers.ts';
import styles from './compare.module.css';

export type Verdict = ComparisonRow['verdict'];

export const verdictWords: Record<Verdict, string> = {
  worse: 'worse',
  better: 'better',
  same: 'same',
  too_little_data: 'too little data',
};

/** A verdict as a shape and a word. */
export function VerdictWord({ verdict }: { verdict: Verdict }) {
  const shape = {
    worse: 'M6 1.5L11 10.5H1Z',
    better: 'M6 10.5L1 1.5H11Z',
    same: 'M1.5 4h9M1.5 8h9',
    too_little_data: 'M2 6h1.5M5.2 6h1.5M8.5 6h1.5',
  }[verdict];
  return (
    <span className={verdict === 'too_little_data' ? styles.littleData : styles[verdict]}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={shape} />
      </svg>
      {verdictWords[verdict]}
    </span>
  );
}
