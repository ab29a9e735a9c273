import { limits } from '../../../limits.ts';
import { type Log, openLog } from '../../../log.ts';
import type { DamagedError } from '../sealed.ts';

let log: Log | undefined;
const logged = new Set<string>();

/** Rows that were logged. */
export const damagedRows = (): number => logged.size;

/** Logs a row that is damaged and left out, once in this process. */
export function noteDamage({ what, message }: DamagedError): void {
  if (logged.size >= limits.damagedNames || logged.has(what)) return;
  logged.add(what);
  log ??= openLog('store', 'error');
  log.error({ row: what }, `${message}; it is left out, and rollcall check reads the whole store`);
}
