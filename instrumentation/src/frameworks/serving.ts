import { ignoringErrors } from './loaded-modules.ts';

/** The `request` listeners of a node:http or node:http2 server; often one of them is the app. */
export function requestListeners(server: object): object[] {
  const { listeners } = server as { listeners?: (event: string) => object[] };
  return listeners?.call(server, 'request') ?? [];
}

/** Runs `work` in a later turn of the event loop. Keeps no process alive. */
export function afterTurn(work: () => void): void {
  setImmediate(() => ignoringErrors(work)).unref();
}
