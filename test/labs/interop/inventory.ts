import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type DecodedSpan, decodeRequest } from '../../collector/support/decoder.ts';
import { authority } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/process.ts';
import { end, freePort, listening, withService } from './service.ts';
import { type Stack, stacks } from './stacks.ts';
import { complaints, environment, startMsMost, unequal, type Verdict } from './trial.ts';

/**
 * What the pages of docs/instrument say beside counts: a service sends the list of its routes by itself, and
 * its key and the certificate's authority need nothing but variables. Here the service exports to a receiver
 * that looks at every span, since the report tells nothing of an inventory.
 */
export interface Declaration {
  name: string;
  /** The service: the command and variables of this stack. */
  stack: string;
  /** Every route of the service as its framework spells it; none where it sends no inventory. */
  routes: readonly string[];
  /** Set beside those of the stack. */
  env?: Record<string, string>;
  /** Its exporter cannot be told of an authority by a variable. */
  isPlain?: true;
}

/** The routes of test/labs/interop's services. @param name a parameter's spelling; @param rest that of a wildcard */
function shop(name: (of: string) => string, rest: string): string[] {
  return [
    'GET /health',
    `GET /users/${name('id')}`,
    'POST /orders',
    `GET /orders/${name('order')}/items/${name('item')}`,
    'GET /boom',
    `GET /files/${rest}`,
    'GET /slow',
    `GET /api/v1/things/${name('id')}`,
  ];
}
const braces = (name: string) => `{${name}}`;
const colon = (name: string) => `:${name}`;
const angles = (name: string) => `<${name}>`;
/** What FastAPI serves beside what it is told to, of each application. */
const fastapiOwn = ['/openapi.json', '/docs', '/docs/oauth2-redirect', '/redoc'];
const fastapi = [...shop(braces, '{path:path}'), ...fastapiOwn.map((route) => `GET ${route}`)];

export const declarations: readonly Declaration[] = [
  { name: 'node-express-tls', stack: 'node-express', routes: [] },
  {
    name: 'python-flask-inventory',
    stack: 'python-flask',
    routes: [...shop(angles, '<path:path>'), 'GET /static/<path:filename>'],
  },
  { name: 'python-fastapi-inventory', stack: 'python-fastapi', routes: fastapi },
  {
    name: 'python-fastapi-mounted-inventory',
    stack: 'python-fastapi-mounted',
    routes: [...fastapi, ...fastapiOwn.map((route) => `GET /api/v1${route}`)],
  },
  {
    name: 'python-django-inventory',
    stack: 'python-django',
    // A view that is a function does not say its methods; that of the orders is a class.
    routes: shop(angles, '<path:path>').map((line) => line.replace(/^GET/, '*')),
  },
  { name: 'go-nethttp-tls', stack: 'go-nethttp', routes: [] },
  {
    name: 'go-chi-inventory',
    stack: 'go-chi',
    routes: [...shop(braces, '*'), 'HEAD /users/{id}'],
  },
  {
    name: 'go-gin-inventory',
    stack: 'go-gin',
    routes: [...shop(colon, '*path'), 'HEAD /users/:id'],
  },
  {
    name: 'go-echo-inventory',
    stack: 'go-echo',
    routes: [...shop(colon, '*'), 'HEAD /users/:id'],
  },
  {
    name: 'java-spring-inventory',
    stack: 'java-spring',
    routes: [...shop(braces, '{*path}'), '* /error'],
  },
  {
    name: 'java-spring-prefixed-inventory',
    stack: 'java-spring',
    env: { SERVER_SERVLET_CONTEXT_PATH: '/shop' },
    routes: [...shop(braces, '{*path}'), '* /error'].map((line) => line.replace('/', '/shop/')),
  },
  { name: 'rust-axum-key', stack: 'rust-axum', routes: [], isPlain: true },
];

const spanName = 'rollcall.inventory';
const internalKind = 1;
const serverKind = 2;
const resource = [
  ['deployment.environment.name', 'production'],
  ['service.version', '1.4.2'],
] as const;
const key = `rck_${'k'.repeat(43)}`;
/** From the last call to its span: the exporter waits half a second. */
const flushMsMost = 30_000;

/**
 * Starts the service with a key and a certificate's authority of its own, calls it once, and compares what it
 * exported until its end.
 * @param folder the toolchain's, prepared
 * @throws Error with the service's output when it does not do its part
 */
export async function tryDeclaration(declaration: Declaration, folder: string): Promise<Verdict> {
  const stack = stacks.find(({ name }) => name === declaration.stack)!;
  const place = temporaryFolder();
  const receiver = await Receiver.open(declaration, `${place.path}/authority.pem`);
  const port = await freePort();
  const command = stack.command.map((word) => word.replace('{port}', String(port)));
  const doors = { otlp_http: receiver.url, otlp_grpc: '', analyzer: '' };
  const env = { ...stack.env, ...declaration.env, ...receiver.env };
  const told: Stack = { ...stack, protocol: 'http/protobuf', env };
  try {
    return await withService(
      folder,
      command,
      environment(told, folder, doors, port),
      async (service) => {
        await listening(port, service, startMsMost);
        await (await fetch(`http://127.0.0.1:${port}/health`)).text();
        await receiver.sees(({ kind }) => kind === serverKind);
        await end(service);
        return judge(declaration, receiver, service.output());
      },
    );
  } finally {
    receiver.close();
    place.remove();
  }
}

function judge({ routes }: Declaration, receiver: Receiver, said: string): Verdict {
  const inventories = receiver.spans.filter(({ name }) => name === spanName);
  const declared = inventories.flatMap(routesOf);
  const differences = unequal(countsOf(declared), countsOf(routes));
  const spans = routes.length === 0 ? 0 : 1;
  if (inventories.length !== spans) {
    differences.push(`${inventories.length} spans ${spanName}, ${spans} expected`);
  }
  for (const { kind, attributes } of inventories) {
    if (kind !== internalKind) differences.push(`${spanName} has kind ${kind}, not INTERNAL`);
    const names = attributes.map((attribute) => attribute.key);
    if (!names.includes('rollcall.routes')) differences.push(`${spanName} has only ${names}`);
  }
  for (const authorization of receiver.keys) {
    if (authorization !== `Bearer ${key}`) differences.push(`the key came as ${authorization}`);
  }
  return {
    expected: routes.length,
    counted: declared.length,
    routesExact: differences.length === 0,
    clientsKnown: undefined,
    clientsExact: true,
    differences: [...differences, ...receiver.unknownVariables, ...complaints(said)],
  };
}

function routesOf({ attributes }: DecodedSpan): string[] {
  const list = attributes.find((attribute) => attribute.key === 'rollcall.routes')?.value;
  return (list?.arrayValue?.values ?? []).map(({ stringValue }) => stringValue ?? '(no text)');
}

function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Takes OTLP over HTTP as protobuf, over TLS with a certificate that no machine knows. */
class Receiver {
  readonly spans: DecodedSpan[] = [];
  /** What came and should not have, or the other way round, in words. */
  readonly unknownVariables = new Set<string>();
  /** The Authorization header of every request. */
  readonly keys = new Set<string | undefined>();
  readonly env: Record<string, string>;
  readonly #server: ReturnType<typeof createHttpServer | typeof createHttpsServer>;
  readonly #scheme: 'http' | 'https';

  /** @param path where exporters find the authority's certificate */
  static async open({ isPlain }: Declaration, path: string): Promise<Receiver> {
    const receiver = new Receiver(isPlain === true, path);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  constructor(isPlain: boolean, path: string) {
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      void this.#take(request).then(
        () => response.end(),
        (error: Error) => response.writeHead(400).end(error.message),
      );
    const ours = authority('interop');
    writeFileSync(path, ours.cert);
    this.#scheme = isPlain ? 'http' : 'https';
    this.#server = isPlain
      ? createHttpServer(answer)
      : createHttpsServer(ours.issue('127.0.0.1'), answer);
    this.env = {
      OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${key}`,
      ...(isPlain ? {} : { OTEL_EXPORTER_OTLP_CERTIFICATE: path }),
      OTEL_RESOURCE_ATTRIBUTES: resource.map((pair) => pair.join('=')).join(','),
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      // Python's requests prefers them to what its caller says, and some machines have them set.
      REQUESTS_CA_BUNDLE: '',
      CURL_CA_BUNDLE: '',
    };
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #take(request: IncomingMessage): Promise<void> {
    const body = await buffer(request);
    if (request.url !== '/v1/traces') {
      this.unknownVariables.add(`${request.url} was sent, which two variables should keep away`);
      return;
    }
    this.keys.add(request.headers.authorization);
    const isZipped = request.headers['content-encoding'] === 'gzip';
    const { resourceSpans } = decodeRequest(isZipped ? gunzipSync(body) : body);
    for (const { resource: said, scopeSpans } of resourceSpans) {
      const pairs = (said?.attributes ?? []).map(
        ({ key, value }) => `${key}=${value?.stringValue}`,
      );
      for (const pair of resource.map((wanted) => wanted.join('='))) {
        if (!pairs.includes(pair)) this.unknownVariables.add(`the resource does not say ${pair}`);
      }
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
  }

  /** @throws Error when no such span comes */
  async sees(wanted: (span: DecodedSpan) => boolean): Promise<void> {
    const until = Date.now() + flushMsMost;
    while (!this.spans.some(wanted)) {
      if (Date.now() > until) throw new Error(`the span did not come in ${flushMsMost} ms`);
      await pause(50);
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
