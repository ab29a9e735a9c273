import Fastify from 'fastify';
import { listen, slowMs } from './listen.mjs';

const app = Fastify();
app.get('/health', async () => 'ok');
app.get('/users/:id', async (request) => request.params);
app.post('/orders', async (_request, reply) => reply.code(201).send('created'));
app.get('/orders/:order/items/:item', async (request) => request.params);
app.get('/boom', async () => {
  throw new Error('boom');
});
app.get('/files/*', async (request) => request.params);
app.get('/slow', async () => {
  await new Promise((resolve) => setTimeout(resolve, slowMs));
  return 'slow';
});
app.register(
  async (v1) => {
    v1.get('/things/:id', async (request) => request.params);
  },
  { prefix: '/api/v1' },
);

listen((port, host) => app.listen({ port, host }));
