import { plainText } from '../state/text.ts';
import styles from './route.module.css';

/** `GET /users/{id}`, each in its own direction of writing. */
export function Route({ method, route }: { method: string; route: string }) {
  const shown = plainText(route);
  return (
    <span className={styles.endpoint} title={`${method} ${shown}`}>
      <span className={styles.method}>{plainText(method)} </span>
      <bdi className={styles.route}>{shown}</bdi>
    </span>
  );
}

/** A name that others chose. */
export function Name({ text, empty = 'unnamed' }: { text: string; empty?: string }) {
  if (text === '') return <span className={styles.empty}>{empty}</span>;
  const shown = plainText(text);
  return (
    <bdi className={styles.name} title={shown}>
      {shown}
    </bdi>
  );
}
