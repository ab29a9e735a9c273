import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What becomes of one request. */
export type Fault =
  /** Nothing of it reaches the server. */
  | { kind: 'lose' }
  /** The server gets half of it, and then the end of the connection. */
  | { kind: 'half' }
  /** The server does what is asked, and its answer is lost. */
  | { kind: 'lose answer' }
  | { kind: 'delay'; ms: number }
  /** As the server refuses, by its error code. */
  | { kind: 'refuse'; code: number; name: string };

/** Stands between collectors and a ClickHouse server, and lets chosen requests fail. */
export class FaultProxy {
  /** Called for each request with its query's beginning; undefined lets it through. */
  fault: (query: string) => Fault | undefined = () => undefined;
  /** Called when a fault is done: the server has, or has not, what was asked. */
  onFault: (fault: Fault) => Promise<unknown> | undefined = () => undefined;
  readonly #target: number;
  readonly #server = createServer((incoming, response) => {
    this.#take(incoming, response).catch(() => response.destroy());
  });

  constructor(targetPort: number) {
    this.#target = targetPort;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const named = new URL(incoming.url!, 'http://proxy').searchParams.get('query');
    const fault = this.fault((named ?? body.toString()).slice(0, 100));
    if (fault === undefined) return this.#forward(incoming, body, response);
    if (fault.kind === 'delay') {
      await pause(fault.ms);
      return this.#forward(incoming, body, response);
    }
    if (fault.kind === 'refuse') {
      const headers = { 'x-clickhouse-exception-code': `${fault.code}` };
      response.writeHead(500, headers).end(`Code: ${fault.code}. DB::Exception: (${fault.name})`);
      return;
    }
    if (fault.kind === 'half') await this.#sendHalf(incoming, body);
    if (fault.kind === 'lose answer') await this.#forward(incoming, body, undefined);
    await this.onFault(fault);
    response.destroy();
  }

  #forward(
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse | undefined,
  ): Promise<void> {
    const { method, url, headers } = incoming;
    const options = { host: '127.0.0.1', port: this.#target, method, path: url, headers };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          response?.writeHead(answer.statusCode!, answer.headers).end(Buffer.concat(parts));
          resolve();
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  #sendHalf({ method, url, headers }: IncomingMessage, body: Buffer): Promise<void> {
    const options = { host: '127.0.0.1', port: this.#target, method, path: url, headers };
    return new Promise((resolve) => {
      const outgoing = request(options);
      outgoing.on('error', () => {});
      outgoing.on('close', () => resolve());
      outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
    });
  }
}
