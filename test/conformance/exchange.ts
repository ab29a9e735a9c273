import { type IncomingHttpHeaders, request } from 'node:http';
import { protobufType } from '../support/export-request.ts';

/** One request on a connection of its own. */
export function exchange(
  url: string,
  body: Uint8Array | string,
  options: Post = {},
): Promise<Answer> {
  const { method = 'POST', path = '/v1/traces', type = protobufType, chunked = false } = options;
  const bytes = Buffer.from(body as Uint8Array);
  const headers: Record<string, string | number> = { ...options.headers };
  if (type !== null) headers['content-type'] = type;
  if (!chunked && method !== 'GET') headers['content-length'] ??= bytes.length;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          body: Buffer.concat(parts),
        });
      });
    });
    sent.on('error', reject);
    if (chunked) {
      for (let at = 0; at < bytes.length; at += 1000) sent.write(bytes.subarray(at, at + 1000));
      sent.end();
    } else {
      sent.end(bytes);
    }
  });
}

export interface Post {
  method?: string;
  path?: string;
  /** Content-Type is application/x-protobuf unless given here; null leaves it out. */
  type?: string | null;
  headers?: Record<string, string>;
  /** Sends the body in pieces without Content-Length. */
  chunked?: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Value of a counter of /metrics, 0 when absent. @param name `rollcall_spans_total{outcome="stored",reason=""}` */
export async function counterOf(url: string, name: string): Promise<number> {
  const { body } = await exchange(url, '', { method: 'GET', path: '/metrics' });
  return counterIn(body, name);
}

/** The same in what /metrics answered. */
export function counterIn(metrics: Buffer, name: string): number {
  const line = metrics
    .toString()
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

export const storedSpans = 'rollcall_spans_total{outcome="stored",reason=""}';
export const duplicateSpans = 'rollcall_spans_total{outcome="duplicate",reason=""}';
