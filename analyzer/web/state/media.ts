import { useSyncExternalStore } from 'react';

/** Whether a media query holds, now and whenever it changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (notify) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', notify);
      return () => list.removeEventListener('change', notify);
    },
    () => window.matchMedia(query).matches,
  );
}

/** As in the style sheets: below it the rail is a strip and tables keep three columns. */
export const narrow = '(max-width: 900px)';
export const dark = '(prefers-color-scheme: dark)';
