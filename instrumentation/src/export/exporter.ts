import type { Destination } from '../settings.ts';
import type { Sender } from './span-queue.ts';
import { deliver, type Transport, transportTo } from './transport.ts';

/** Sends OTLP requests that are encoded already. */
export function encodedSender(destination: Destination): Sender<Buffer> {
  let reading: Promise<Transport> | undefined;
  let transport: Transport | undefined;
  return {
    send: (body, done) => {
      reading ??= transportTo(destination);
      reading
        .then((known) => {
          transport = known;
          return deliver(known, body);
        })
        .then(
          () => done({ code: 0 }),
          (error: Error) => done({ code: 1, error }),
        );
    },
    sendAtExit: (bodies, deadlineMs) => {
      const { deliverByChild } =
        require('./last-delivery.js') as typeof import('./last-delivery.ts');
      return deliverByChild(bodies, transport, destination, deadlineMs);
    },
    shutdown: async () => (await reading)?.agent.destroy(),
  };
}
