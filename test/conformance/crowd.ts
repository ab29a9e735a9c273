import { waitFor } from './check.ts';
import { rawConnection, requestHead } from './raw-connection.ts';
import type { Target } from './target.ts';

const mib = 2 ** 20;
const queueBytes = 'rollcall_queue_bytes';

/** A collector of ours, whose counters can be read. */
export type InsideTarget = Target & { inside: { counter(name: string): Promise<number> } };

/**
 * Runs `act` while large bodies in flight have their 48 MiB, and one more the room beside it: of three bodies
 * 24 MiB came. Bodies that stand still give way when a second refusal follows the first by half a second, so
 * `act` is to be refused once.
 */
export async function crowded<T>(target: InsideTarget, act: () => Promise<T>): Promise<T> {
  const sockets = [24, 24, 24].map(
    (come) => rawConnection(target.httpUrl, requestHead(60 * mib), Buffer.alloc(come * mib)).socket,
  );
  const queue = () => target.inside.counter(queueBytes);
  await waitFor('shares of the budget', async () => (await queue()) >= 72 * mib);
  try {
    return await act();
  } finally {
    for (const socket of sockets) socket.destroy();
    await waitFor('the shares given back', async () => (await queue()) === 0);
  }
}
