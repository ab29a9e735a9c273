import { type Agent, get } from 'node:http';

/** Reads one answer to its end. A status of 0: no answer. */
export function ask(url: string, agent?: Agent): Promise<{ status: number; ms: number }> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const failed = () => resolve({ status: 0, ms: performance.now() - startMs });
    get(url, { agent }, (response) => {
      response.resume();
      response.on('error', failed);
      response.on('end', () =>
        resolve({ status: response.statusCode!, ms: performance.now() - startMs }),
      );
    }).on('error', failed);
  });
}
