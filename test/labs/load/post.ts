import { Agent, request } from 'node:http';

/** What a server said to one export request; a rejection of `postTraces` means that it said nothing. */
export interface Answer {
  status: number;
  /** Seconds of Retry-After, or null without one. */
  retryAfterS: number | null;
  body: Buffer;
}

/** Keep-alive connections, as exporters hold them. Destroy it at the end. */
export function connections(most: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: most, maxFreeSockets: most });
}

/**
 * Posts one OTLP body. The body's bytes must stay as they are until the answer came.
 * @param url of the server, without a path
 * @throws Error of the socket when the connection ended before an answer
 */
export function postTraces(
  url: string,
  agent: Agent,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL('/v1/traces', url),
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/x-protobuf',
          'content-length': body.length,
          ...headers,
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          // Refused before all was sent: the rest would only be thrown away.
          if (!sent.writableFinished) sent.destroy();
          const retryAfter = response.headers['retry-after'];
          resolve({
            status: response.statusCode ?? 0,
            retryAfterS: retryAfter === undefined ? null : Number(retryAfter),
            body: Buffer.concat(parts),
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
