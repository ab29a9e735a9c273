import { useEffect } from 'react';

/** Keyboard shortcuts of a page, inactive while the focus is in a field. */
export type KeyMap = Readonly<Record<string, () => void>>;

/** @param keys by `KeyboardEvent.key` */
export function useKeys(keys: KeyMap): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const isTyping = event.target instanceof Element && event.target.closest(fields) !== null;
      if (isTyping && event.key !== 'Escape') return;
      if (document.querySelector('dialog[open]') !== null) return;
      const act = keys[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [keys]);
}

const fields = 'input, select, textarea, [contenteditable]';
