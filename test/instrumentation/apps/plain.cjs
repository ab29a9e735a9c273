/**
 * node:http alone, over HTTP/1.1 or, with HTTP2=1, HTTP/2 in the clear: what lean mode sees of each way a call
 * can go.
 */
const http = require('node:http');

function answer(request, response) {
  const [path] = request.url.split('?');
  if (path === '/never') return void console.log('asked and never answered');
  if (path === '/half') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    return;
  }
  if (path === '/modules') return void response.end(process.moduleLoadList.join('\n'));
  if (path === '/slow') return void setTimeout(() => response.end('slow'), 50);
  if (path.startsWith('/status/')) {
    response.statusCode = Number(path.slice('/status/'.length));
    return void response.end();
  }
  if (path === '/error') {
    response.statusCode = 503;
    return void response.end('no');
  }
  if (path === '/destroy') return void response.destroy();
  if (path === '/events' || path === '/events-that-end') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('data: 1\n\n');
    if (path === '/events-that-end') response.end();
    return;
  }
  if (path === '/deprecated') {
    const link = '</docs/2027>; rel="deprecation"; type="text/html"';
    response.writeHead(200, {
      Deprecation: '@1688169599',
      Sunset: 'Sun, 30 Jun 2030 00:00:00 GMT',
      Link: link,
      'Content-Length': 3,
    });
    return void response.end('old');
  }
  if (path === '/set') {
    response.setHeader('deprecation', 'true');
    return void response.end('old');
  }
  if (path === '/page') {
    response.writeHead(200, {
      Link: '</page?cursor=hush>; rel="next"',
      'Content-Type': 'text/plain',
    });
    return void response.end('page');
  }
  if (path === '/exit') {
    response.end('bye');
    return void setImmediate(() => process.exit(0));
  }
  if (path === '/close') {
    response.end('closing');
    return void server.close();
  }
  response.end(`${request.method} ${path}`);
}

const server =
  process.env.HTTP2 === '1'
    ? require('node:http2').createServer(answer)
    : http.createServer(answer);
if (process.env.UPGRADES === '1') {
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
}
if (process.env.OWN_SIGTERM === '1') {
  process.on('SIGTERM', () => {
    console.log('own handler');
    server.close();
    server.closeAllConnections?.();
  });
}
if (process.env.HOOKS === '1') {
  require('@rollcall/instrumentation').startRollcall({
    consumer: (request) => {
      if (request.headers['x-tenant'] === 'throw') throw new Error('consumer is broken');
      return request.headers['x-tenant'];
    },
    ignore: (request) => request.url === '/health',
    headers: process.env.TAKEN_HEADERS?.split(',') ?? [
      ...['X-Request-Id', 'Authorization', 'Cookie', 'set-cookie', 'Proxy-Authorization'],
      ...['x-api-key', 'X-Auth-Token', 'x-csrf-token'],
    ],
  });
}
if (process.env.WATCH_WARNINGS === '1') {
  process.on('uncaughtException', (error) => console.log('UNCAUGHT', error));
  process.on('unhandledRejection', (error) => console.log('UNHANDLED', error));
}
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
