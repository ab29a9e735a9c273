/** The same API in Fastify. */
const app = require('fastify')();

app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
app.register(
  async (api) => {
    api.get('/users/:id', async (request) => ({ id: request.params.id, name: 'a' }));
    api.post('/orders', async (_request, reply) => reply.code(201).send({ id: 1 }));
  },
  { prefix: '/api' },
);
app.get('/health', async () => 'ok');
app.listen({ port: 0, host: '127.0.0.1' }).then(() => {
  console.log(`listening ${app.server.address().port}`);
});
