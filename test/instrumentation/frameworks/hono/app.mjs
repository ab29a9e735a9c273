import { createServer as createHttp2Server } from 'node:http2';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const app = new Hono();
const params = (c) => c.json(c.req.param());
const boom = () => {
  throw new Error('boom');
};
app.onError((_error, c) => c.text('failed', 500));
app.use('*', async (_c, next) => {
  await next();
});
app.use('/guarded/*', async (c, _next) => c.text('no', 401));
app.get('/guarded/:id', params);
// Asks for a file first, as serveStatic does, and lets the routes behind it answer.
app.get('/users/*', async (_c, next) => {
  await next();
});
app.get('/health', (c) => c.text('ok'));
app.get('/users/:id', (c) => (c.req.param('id') === 'none' ? c.text('none', 404) : params(c)));
app.post('/orders', (c) => c.text('created', 201));
app.all('/any/:id', params);
app.on('GET', ['/colour/:id', '/color/:id'], params);
app.get('/files/*', (c) => c.text('file'));
app.get('/digits/:n{[0-9]+}', (c) => c.text('digits'));
app.get('/checked/:id', async (c, _next) => c.text('no', 403), params);
app.get('/boom', boom);
app.get('/boom-async', async () => {
  await pause(1);
  throw new RangeError('boom');
});
app.get('/slow/:id', async (c) => {
  await pause(slowMs);
  return c.text('slow');
});
app.get(
  '/stream/:id',
  () => new Response(new ReadableStream({ start: (to) => to.enqueue('begin') })),
);

const v1 = new Hono();
v1.get('/', (c) => c.text('root'));
v1.get('/things', (c) => c.text('list'));
v1.get('/things/:id', params);
app.route('/api/v1', v1);

const team = new Hono();
team.get('/x', params);
const org = new Hono();
org.get('/members/:id', params);
org.get('/boom', boom);
org.route('/teams/:team', team);
app.route('/orgs/:org', org);

const shared = new Hono();
shared.get('/shared/:id', params);
app.route('/left', shared);
app.route('/right', shared);

const based = new Hono().basePath('/based/:zone');
based.get('/items/:id', params);
app.route('/', based);

// As other libraries wrap it: without what @hono/node-server passes beside the request.
const wrapped = async (request) => {
  await pause(1);
  return app.fetch(request);
};
serve({
  fetch: process.env.WRAPPED_FETCH === '1' ? wrapped : app.fetch,
  port,
  hostname: host,
  ...(isHttp2 ? { createServer: createHttp2Server } : {}),
});
