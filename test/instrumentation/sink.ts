import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { gunzipSync } from 'node:zlib';
import { waitFor } from '../support/wait.ts';
import { decoded, type SeenSpan, spansOf } from './seen-span.ts';

/** Stands for Rollcall where a test wants to see the spans. As Rollcall does, it counts a body that comes again once. */
export interface Sink {
  url: string;
  port: number;
  spans: SeenSpan[];
  /** Headers of the last request. */
  headers: Record<string, unknown>;
  /** Requests so far, and connections they came over. */
  requests: number;
  connections: number;
  /** Waits for so many SERVER spans. @throws Error that says what there is after ten seconds */
  servers(count: number): Promise<SeenSpan[]>;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const seen = new Set<string>();
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    sink.headers = request.headers;
    sink.requests += 1;
    const digest = createHash('sha256').update(body).digest('hex');
    const isAgain = seen.has(digest);
    seen.add(digest);
    const isJson = request.headers['content-type'] === 'application/json';
    if (!isAgain) sink.spans.push(...spansOf(isJson ? JSON.parse(body.toString()) : decoded(body)));
    response.setHeader('content-type', request.headers['content-type']!);
    response.end(isJson ? '{}' : '');
  });
  server.on('connection', () => {
    sink.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sink: Sink = {
    url: `http://127.0.0.1:${port}`,
    port,
    spans: [],
    headers: {},
    requests: 0,
    connections: 0,
    servers: (count) => {
      const servers = () => sink.spans.filter(({ kind }) => kind === 2);
      return waitFor(`${count} spans`, () => servers().length >= count && servers(), {
        withinMs: 10_000,
        context: () => JSON.stringify(servers()),
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return sink;
}
