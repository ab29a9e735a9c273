import { harmless } from './loaded-modules.ts';

/** What a server of node:http or node:http2 calls with its requests: often the app itself. */
export function requestListeners(server: object): object[] {
  const { listeners } = server as { listeners?: (event: string) => object[] };
  return listeners?.call(server, 'request') ?? [];
}

/** Later, when the turn in which a server began to listen is over; keeps no process alive. */
export function afterTurn(work: () => void): void {
  setImmediate(() => harmless(work)).unref();
}
