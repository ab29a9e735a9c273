import { createServer as createHttp2Server } from 'node:http2';
import Hapi from '@hapi/hapi';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const http2 = isHttp2 ? { listener: createHttp2Server(), tls: false } : {};
const server = Hapi.server({ port, host, debug: false, ...http2 });
const get = (path, handler, options = {}) => ({ method: 'GET', path, handler, options });
const params = ({ params }) => params;
const boom = () => {
  throw new Error('boom');
};

server.auth.scheme('never', () => ({
  authenticate: (_request, h) => h.response('no').code(401).takeover(),
}));
server.auth.strategy('never', 'never');
server.route([
  get('/health', () => 'ok'),
  get('/users/{id}', ({ params }, h) =>
    params.id === 'none' ? h.response('none').code(404) : params,
  ),
  { method: 'POST', path: '/orders', handler: (_request, h) => h.response('created').code(201) },
  { method: '*', path: '/any/{id}', handler: params },
  { method: ['PUT', 'PATCH'], path: '/both/{id}', handler: params },
  get('/files/{path*}', () => 'file'),
  get('/guarded/{id}', params, { auth: 'never' }),
  get('/checked/{id}', params, { pre: [(_request, h) => h.response('no').code(403).takeover()] }),
  get('/boom', boom),
  get('/boom-async', async () => {
    await pause(1);
    throw new RangeError('boom');
  }),
  get('/slow/{id}', async () => {
    await pause(slowMs);
    return 'slow';
  }),
  get('/stream/{id}', ({ raw }, h) => {
    raw.res.writeHead(200);
    raw.res.write('begin');
    return new Promise((resolve) => raw.res.once('close', () => resolve(h.abandon)));
  }),
  {
    method: 'POST',
    path: '/add-later',
    handler: () => {
      server.route(get('/later/{id}', params));
      return 'added';
    },
  },
]);
const plugin = (name, routes) => ({ name, register: (scope) => scope.route(routes) });
const prefixed = (prefix, name, routes) =>
  server.register(plugin(name, routes), { routes: { prefix } });
await prefixed('/api/v1', 'v1', [
  get('/', () => 'root'),
  get('/things', () => 'list'),
  get('/things/{id}', params),
]);
await prefixed('/orgs/{org}', 'org', [
  get('/members/{id}', params),
  get('/boom', boom),
  get('/teams/{team}/x', params),
]);
await prefixed('/left', 'left', [get('/shared/{id}', params)]);
await prefixed('/right', 'right', [get('/shared/{id}', params)]);
await server.start();
