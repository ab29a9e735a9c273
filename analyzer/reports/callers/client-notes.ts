import type { Window } from '../../../core/window.ts';
import { dayS } from '../../../core/window.ts';
import type { Note, QueryContext } from '../../query/answer-head.ts';

/** True for an address that ROLLCALL_CLIENT_PRIVACY=hash replaced: `h:` and 16 digits under the day's key. */
export function isHashed({ client }: { client: string }): boolean {
  return client.startsWith('h:');
}

/**
 * Numbers of clients under a key that changes at midnight UTC: a client that calls on two days of the window
 * counts twice.
 * @param found a hashed address is among what is known of the selection
 */
export function clientNotes(
  { clientsAreHashed, nowMs }: Pick<QueryContext, 'clientsAreHashed' | 'nowMs'>,
  { fromS, toS }: Window,
  found: boolean,
): Note[] {
  if (!clientsAreHashed && !found) return [];
  const lastS = Math.min(toS - 1, Math.floor(nowMs / 1000));
  if (Math.floor(fromS / dayS) === Math.floor(lastS / dayS)) return [];
  return [
    {
      code: 'clients_by_day',
      message:
        'Addresses are hashed with a key that changes at midnight UTC: a client counts once for each day it called, so numbers of clients add up over days.',
      field: null,
    },
  ];
}
