import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decoded, spansOf } from '../seen-span.ts';

/** One inventory span as it was exported. */
export interface ExportedInventory {
  service: string;
  kind: number;
  attributes: Record<string, unknown>;
}

/** A SERVER span with a status of 500, as it was exported. */
export interface ExportedFailure {
  service: string;
  path: string;
  errorType: string;
}

/**
 * Stands between the services and Rollcall: hands every OTLP body on as it came, and keeps what its spans named
 * `rollcall.inventory` say.
 */
export interface Receiver {
  url: string;
  inventories: ExportedInventory[];
  failures: ExportedFailure[];
  close(): Promise<void>;
}

export async function startReceiver(rollcall: string): Promise<Receiver> {
  const inventories: ExportedInventory[] = [];
  const failures: ExportedFailure[] = [];
  const server = createServer(async (request, response) => {
    try {
      const body = await bodyOf(request);
      const { headers, url } = request;
      const answer = await fetch(`${rollcall}${url}`, {
        method: 'POST',
        headers: sameHeaders(headers),
        body: new Uint8Array(body),
      });
      const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      inventories.push(...inventoriesOf(plain));
      failures.push(...failuresOf(plain));
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? '',
      });
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      // The exporter says it, and the trial reads what the exporter says.
      response.writeHead(400).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    inventories,
    failures,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sameHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const { 'content-type': type = '', 'content-encoding': encoding } = headers;
  return {
    'content-type': type,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function inventoriesOf(body: Uint8Array): ExportedInventory[] {
  return spansOf(decoded(body))
    .filter(({ name }) => name === 'rollcall.inventory')
    .map(({ resource, kind, attributes }) => ({
      service: String(resource['service.name']),
      kind,
      attributes,
    }));
}

function failuresOf(body: Uint8Array): ExportedFailure[] {
  return spansOf(decoded(body))
    .filter(({ attributes }) => attributes['http.response.status_code'] === 500)
    .map(({ resource, attributes }) => ({
      service: String(resource['service.name']),
      path: String(attributes['url.path']),
      errorType: String(attributes['error.type']),
    }));
}
