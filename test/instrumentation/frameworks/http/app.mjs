import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const create = isHttp2 ? createHttp2Server : createServer;
create(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://here');
  const [, first, second] = pathname.split('/');
  if (first === 'slow') await pause(slowMs);
  if (first === 'stream') {
    response.writeHead(200);
    response.write('begin');
    return;
  }
  response.statusCode = statusOf(request.method, first, second);
  response.end(request.method === 'HEAD' ? undefined : first);
}).listen(port, host);

function statusOf(method, first, second) {
  if (first === 'boom') return 500;
  if (first === 'orders' && method === 'POST') return 201;
  if (method !== 'GET' && method !== 'HEAD') return 405;
  if (first === 'nothing' || second === 'none') return 404;
  return 200;
}
