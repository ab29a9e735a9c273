import { serve } from '@hono/node-server';
import { httpInstrumentationMiddleware } from '@hono/otel';
import { Hono } from 'hono';
import { listen, slowMs } from './listen.mjs';

const app = new Hono();
// With the argument `otel` under Hono's own instrumentation too: the one for node:http knows no routes.
if (process.argv[2] === 'otel') app.use('*', httpInstrumentationMiddleware());
app.get('/health', (c) => c.text('ok'));
app.get('/users/:id', (c) => c.json(c.req.param()));
app.post('/orders', (c) => c.text('created', 201));
app.get('/orders/:order/items/:item', (c) => c.json(c.req.param()));
app.get('/boom', () => {
  throw new Error('boom');
});
app.get('/files/*', (c) => c.text('file'));
app.get('/slow', async (c) => {
  await new Promise((resolve) => setTimeout(resolve, slowMs));
  return c.text('slow');
});
const v1 = new Hono();
v1.get('/things/:id', (c) => c.json(c.req.param()));
app.route('/api/v1', v1);

listen((port, hostname) => serve({ fetch: app.fetch, port, hostname }));
