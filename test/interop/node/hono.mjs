import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { listen, slowMs } from './listen.mjs';

const app = new Hono();
app.get('/health', (c) => c.text('ok'));
app.get('/users/:id', (c) => c.json(c.req.param()));
app.post('/orders', (c) => c.text('created', 201));
app.get('/orders/:order/items/:item', (c) => c.json(c.req.param()));
app.get('/boom', (c) => c.text('boom', 500));
app.get('/files/*', (c) => c.text('file'));
app.get('/slow', async (c) => {
  await new Promise((resolve) => setTimeout(resolve, slowMs));
  return c.text('slow');
});
const v1 = new Hono();
v1.get('/things/:id', (c) => c.json(c.req.param()));
app.route('/api/v1', v1);

listen((port, hostname) => serve({ fetch: app.fetch, port, hostname }));
