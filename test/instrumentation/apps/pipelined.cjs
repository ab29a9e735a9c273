/** Fastify, which notes a route while the request is handled, with a route slower than those behind it. */
const app = require('fastify')();

app.get('/slow/:id', async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return 'slow';
});
app.get('/users/:id', async () => 'user');
app.get('/boom', () => {
  throw new RangeError('boom');
});
app.listen({ port: 0, host: '127.0.0.1' }).then(() => {
  console.log(`listening ${app.server.address().port}`);
});
