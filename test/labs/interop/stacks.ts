import type { Telling } from './calls.ts';
import type { Toolchain } from './toolchain.ts';

/** One service under its official instrumentation, exporting to Rollcall with nothing else set. */
export interface Stack extends Telling {
  name: string;
  toolchain: Toolchain;
  /** What starts it, in the toolchain's folder. The service listens on 127.0.0.1 at `{port}`, also in `PORT`. */
  command: readonly string[];
  protocol: 'grpc' | 'http/protobuf' | 'http/json';
  /** Set beside the endpoint, the protocol and the service's name. */
  env?: Record<string, string>;
  /** The protocol is the instrumentation's default: no variable says it. */
  protocolIsDefault?: true;
}

const node: Toolchain = {
  name: 'node',
  locks: ['package-lock.json'],
  needs: [['npm', '--version']],
  build: [['npm', 'ci', '--ignore-scripts']],
};
const python: Toolchain = {
  name: 'python',
  locks: ['requirements.txt'],
  needs: [['python3', '-m', 'venv', '--help']],
  build: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
  ],
};
const go: Toolchain = {
  name: 'go',
  needs: [['go', 'version']],
  build: [['go', 'build', '-p', '1', '-o', 'interop-go', '.']],
};
const java: Toolchain = {
  name: 'java',
  needs: [
    ['java', '-version'],
    ['mvn', '--version'],
  ],
  build: [['mvn', '--quiet', '--batch-mode', 'package']],
};
const rust: Toolchain = {
  name: 'rust',
  needs: [['cargo', '--version']],
  build: [['cargo', 'build', '--quiet', '--jobs', '1']],
};

const gzip = { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' };
const onNode = { toolchain: node, routes: 'framework', client: 'first' } as const;
/** A service of `import`s needs the loader beside the instrumentation; without it `import express` is not seen. */
const esModule = (file: string) => [
  'node',
  '--experimental-loader=@opentelemetry/instrumentation/hook.mjs',
  '--import=@opentelemetry/auto-instrumentations-node/register',
  file,
];

/** Old names are the default of OpenTelemetry for Python. */
const newNames = { OTEL_SEMCONV_STABILITY_OPT_IN: 'http' };
/** Behind a proxy the peer is the proxy; with the header Rollcall finds the client itself. */
const forwarded = {
  OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: 'x-forwarded-for',
};
const bothNames = { OTEL_SEMCONV_STABILITY_OPT_IN: 'http/dup' };
const flask = {
  toolchain: python,
  command: ['opentelemetry-instrument', 'python', 'flask_app.py'],
  routes: 'framework',
  client: 'peer',
} as const;
const django = {
  ...flask,
  command: ['opentelemetry-instrument', 'python', 'manage.py', 'runserver', '--noreload', '{port}'],
  // Its instrumentation asks for the settings before manage.py could name them.
  env: { DJANGO_SETTINGS_MODULE: 'django_settings' },
};
const uvicorn = (app: string) => ['opentelemetry-instrument', 'uvicorn', '--port', '{port}', app];
const fastapi = {
  ...flask,
  // Believes forwarding headers of this machine, and takes the last hop.
  command: uvicorn('fastapi_app:app'),
  client: 'last',
} as const;

const onGo = { toolchain: go, routes: 'framework', client: 'first' } as const;

export const stacks: readonly Stack[] = [
  { ...onNode, name: 'node-express', command: esModule('express.mjs'), protocol: 'http/protobuf' },
  { ...onNode, name: 'node-express-grpc', command: esModule('express.mjs'), protocol: 'grpc' },
  {
    ...onNode,
    name: 'node-fastify',
    command: ['node', '--import=./fastify-telemetry.mjs', 'fastify.mjs'],
    protocol: 'http/json',
  },
  {
    ...onNode,
    name: 'node-koa',
    command: esModule('koa.mjs'),
    protocol: 'http/protobuf',
    env: gzip,
  },
  { ...onNode, name: 'node-nest', command: esModule('nest.mjs'), protocol: 'grpc', env: gzip },
  {
    ...onNode,
    name: 'node-hono',
    command: esModule('hono.mjs'),
    protocol: 'http/json',
    env: gzip,
    routes: 'path',
  },
  {
    ...onNode,
    name: 'node-hono-otel',
    command: [...esModule('hono.mjs'), 'otel'],
    protocol: 'http/protobuf',
  },
  {
    ...onNode,
    name: 'node-http',
    command: esModule('http.mjs'),
    protocol: 'http/protobuf',
    routes: 'path',
  },
  { ...flask, name: 'python-flask', protocol: 'http/protobuf' },
  { ...flask, name: 'python-flask-new', protocol: 'grpc', env: { ...newNames, ...gzip } },
  { ...flask, name: 'python-flask-dup', protocol: 'http/protobuf', env: { ...bothNames, ...gzip } },
  {
    ...flask,
    name: 'python-flask-forwarded',
    protocol: 'http/protobuf',
    env: forwarded,
    client: 'last',
  },
  { ...fastapi, name: 'python-fastapi', protocol: 'grpc' },
  {
    ...fastapi,
    name: 'python-fastapi-new',
    protocol: 'http/protobuf',
    env: { ...newNames, ...gzip },
  },
  {
    ...fastapi,
    name: 'python-fastapi-mounted',
    command: uvicorn('fastapi_app:mounted'),
    protocol: 'http/protobuf',
  },
  { ...fastapi, name: 'python-fastapi-dup', protocol: 'grpc', env: bothNames },
  { ...django, name: 'python-django', protocol: 'http/protobuf', env: { ...django.env, ...gzip } },
  {
    ...django,
    name: 'python-django-forwarded',
    protocol: 'http/protobuf',
    env: { ...django.env, ...forwarded },
    client: 'last',
  },
  {
    ...django,
    name: 'python-django-new',
    protocol: 'http/protobuf',
    env: { ...django.env, ...newNames },
  },
  {
    ...django,
    name: 'python-django-dup',
    protocol: 'grpc',
    env: { ...django.env, ...bothNames, ...gzip },
  },
  { ...onGo, name: 'go-nethttp', command: ['./interop-go', 'nethttp'], protocol: 'http/protobuf' },
  { ...onGo, name: 'go-gin', command: ['./interop-go', 'gin'], protocol: 'grpc' },
  {
    ...onGo,
    name: 'go-echo',
    command: ['./interop-go', 'echo'],
    protocol: 'http/protobuf',
    env: gzip,
  },
  { ...onGo, name: 'go-chi', command: ['./interop-go', 'chi'], protocol: 'grpc', env: gzip },
  {
    name: 'java-spring',
    toolchain: java,
    command: [
      'java',
      '-javaagent:target/opentelemetry-javaagent.jar',
      '-jar',
      'target/interop.jar',
    ],
    protocol: 'http/protobuf',
    protocolIsDefault: true,
    routes: 'framework',
    client: 'first',
  },
  {
    name: 'rust-axum',
    toolchain: rust,
    command: ['target/debug/interop-rust'],
    protocol: 'http/protobuf',
    routes: 'framework',
    client: 'nobody',
  },
  {
    name: 'rust-axum-clients',
    toolchain: rust,
    command: ['target/debug/interop-rust', 'clients'],
    protocol: 'grpc',
    env: gzip,
    routes: 'framework',
    // It tells all hops, and Rollcall takes the last one that is no proxy of ours.
    client: 'last',
  },
];
