import type { Finding } from '../api/doctor.ts';
import { plainText } from '../state/text.ts';
import styles from './findings.module.css';

/** Why something that arrived does not count, each with what mends it. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul className={styles.findings}>
      {findings.map(({ code, service, environment, message, advice }) => (
        <li key={`${code} ${service} ${environment} ${message}`}>
          <b>{plainText(message)}</b> {advice !== null && plainText(advice)}
        </li>
      ))}
    </ul>
  );
}
