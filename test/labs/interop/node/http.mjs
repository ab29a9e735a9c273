import { createServer } from 'node:http';
import { listen, slowMs } from './listen.mjs';

/** A service without a router: it reads paths by hand. */
const routes = [
  [
    'GET',
    /^\/(health|users\/[^/]+|orders\/[^/]+\/items\/[^/]+|files\/.+|api\/v1\/things\/[^/]+)$/,
    200,
  ],
  ['POST', /^\/orders$/, 201],
  ['GET', /^\/boom$/, 500],
  ['GET', /^\/slow$/, 200, slowMs],
];

const server = createServer((request, response) => {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const [path] = request.url.split('?');
  const [, , status = 404, delayMs = 0] =
    routes.find(([verb, pattern]) => verb === method && pattern.test(path)) ?? [];
  setTimeout(() => response.writeHead(status).end(), delayMs);
});
listen((port, host) => server.listen(port, host));
