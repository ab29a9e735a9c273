import type { ReactNode } from 'react';
import type { Head } from '../api/answers.ts';
import { ApiError, NoAnswer } from '../api/request.ts';
import { agoText } from '../state/format.ts';
import { plainText } from '../state/text.ts';
import styles from './notice.module.css';

/** What a page shows in the place of its data: still loading, empty, or an error in the API's own words. */
export function Notice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.notice}>
      <p className={styles.title}>{title}</p>
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <output className={styles.loading} aria-label={`loading ${what}`}>
      <i />
      <i />
      <i />
    </output>
  );
}

export function Failure({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div className={styles.notice} role="alert">
      <p className={styles.title}>{failureTitle(error)}</p>
      <p>{error.message}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

function failureTitle(error: Error): string {
  if (error instanceof NoAnswer) return 'No answer';
  if (error instanceof ApiError && error.status === 400) return 'This cannot be asked';
  if (error instanceof ApiError && error.status === 404) return 'Not here';
  return 'No figures';
}

/** When a refresh fails, old figures stay on the page, with their age. */
export function StaleBanner({ error, updatedMs }: { error: Error; updatedMs: number }) {
  return (
    <div className={styles.banner} role="alert">
      {error.message}; the figures came {agoText(updatedMs)}. Trying again.
    </div>
  );
}

/** What the figures do not show, in the API's words: a window that was cut, a service that is not known. */
export function Notes({ notes = [] }: { notes?: Head['notes'] }) {
  return notes.map(({ code, message }) => (
    <p key={code} className={styles.note}>
      {plainText(message)}
    </p>
  ));
}
