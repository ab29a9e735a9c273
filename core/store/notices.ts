/** What an operator must know of a store that works: for the log and /readyz. */

/** Raw calls of an older release are being rewritten in the background. */
export interface Conversion {
  left: number;
  total: number;
  /** Present while the disk has less room than this: the conversion waits, everything else goes on. */
  needsBytes?: number;
}

export function conversionText({ left, total, needsBytes }: Conversion): string {
  const done = `${total - left} of ${total} raw calls of an older release are converted`;
  if (needsBytes === undefined) return done;
  return `${done}; the rest waits until the disk has ${needsBytes / 2 ** 20} MiB free`;
}

/** @param names of the rows that are damaged */
export function damageText(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `damaged and left out: ${shown}${more}; rollcall check reads the whole store`;
}

/** As the writer's thread sends them. `damaged` names one row. */
export type StoreNotice = { conversion: Conversion | undefined } | { damaged: string };
