import { useEffect, useRef, useState } from 'react';

/** Copies text, which may have to be fetched first, and confirms it. */
export function CopyButton({
  text,
  name = 'Copy',
}: {
  text: () => string | Promise<string>;
  name?: string;
}) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const copy = async () => {
    const isCopied = await Promise.resolve(text()).then(copyText, () => false);
    setState(isCopied ? 'copied' : 'failed');
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState('idle'), 2_000);
  };
  const shown = { idle: name, copied: 'Copied', failed: 'Not copied: select it by hand' }[state];
  return (
    <button type="button" onClick={copy}>
      <span aria-live="polite">{shown}</span>
    </button>
  );
}

/** Browsers give the clipboard to pages of https and of this machine only; others have the old way. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    return isCopied;
  }
}
