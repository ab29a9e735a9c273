import { request } from 'node:http';

export interface Answer {
  status: number;
  /** Headers and body, as they were said. */
  said: Buffer;
  body: string;
}

export interface QueryContext {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** Where the request comes from: every address of 127.0.0.0/8 is ours, so a test can be many peers. */
  localAddress?: string;
}

/** One request on a connection of its own. */
export function exchange(url: string, asked: QueryContext = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, localAddress = '127.0.0.1' } = asked;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, localAddress, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({
          status: answer.statusCode!,
          said: Buffer.concat([Buffer.from(answer.rawHeaders.join('\n')), bytes]),
          body: bytes.toString(),
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
