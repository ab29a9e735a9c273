import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** One inventory span as it was exported. */
export interface ExportedInventory {
  service: string;
  traceId: string;
  kind: number;
  attributes: Record<string, unknown>;
}

/**
 * Stands between the services and Rollcall: hands every OTLP body on as it came, and keeps what its spans named
 * `rollcall.inventory` say.
 */
export interface Receiver {
  url: string;
  inventories: ExportedInventory[];
  close(): Promise<void>;
}

export async function startReceiver(rollcall: string): Promise<Receiver> {
  const inventories: ExportedInventory[] = [];
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

/** The parts of opentelemetry-proto 1.11 that an inventory needs. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resourceSpans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { bytes traceId = 1; string name = 5; int32 kind = 6; repeated KeyValue attributes = 9; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string stringValue = 1; int64 intValue = 3; Values arrayValue = 5; } }
  message Values { repeated Value values = 1; }
`);

interface Value {
  stringValue?: string;
  intValue?: number;
  arrayValue?: { values: Value[] };
}
interface Attribute {
  key: string;
  value: Value;
}
interface Request {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: { traceId: string; name: string; kind: number; attributes: Attribute[] }[];
    }[];
  }[];
}

function inventoriesOf(body: Uint8Array): ExportedInventory[] {
  const type = root.lookupType('Request');
  const asked = { longs: Number, bytes: String, arrays: true };
  const { resourceSpans } = type.toObject(type.decode(body), asked) as Request;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .filter(({ name }) => name === 'rollcall.inventory')
      .map(({ traceId, kind, attributes }) => ({
        service: String(record(resource.attributes)['service.name']),
        traceId,
        kind,
        attributes: record(attributes),
      })),
  );
}

function record(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain({ stringValue, intValue, arrayValue }: Value): unknown {
  return arrayValue === undefined ? (stringValue ?? intValue) : arrayValue.values.map(plain);
}
