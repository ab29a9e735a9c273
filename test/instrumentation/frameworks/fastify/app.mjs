import fastify from 'fastify';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const app = fastify({ http2: isHttp2 });
app.get('/health', async () => 'ok');
app.get('/users/:id', async (request, reply) => {
  if (request.params.id === 'none') return reply.code(404).send('none');
  return request.params;
});
app.post('/orders', async (_request, reply) => reply.code(201).send('created'));
app.all('/any/:id', async (request) => request.params);
app.get('/files/*', async () => 'file');
app.get('/digits/:n(^\\d+$)', async () => 'digits');
const forbid = async (_request, reply) => reply.code(403).send('no');
app.get('/checked/:id', { onRequest: forbid }, async () => 'never');
const numbers = { params: { type: 'object', properties: { n: { type: 'integer' } } } };
app.get('/valid/:n', { schema: numbers }, async () => 'valid');
app.get('/boom', (_request, _reply) => {
  throw new Error('boom');
});
app.get('/boom-async', async () => {
  await pause(1);
  throw new RangeError('boom');
});
app.get('/slow/:id', async () => {
  await pause(slowMs);
  return 'slow';
});
app.get('/stream/:id', (_request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200);
  reply.raw.write('begin');
});

app.register(
  async (v1) => {
    v1.get('/', async () => 'root');
    v1.get('/things', async () => 'list');
    v1.get('/things/:id', async (request) => request.params);
  },
  { prefix: '/api/v1' },
);
app.register(
  async (org) => {
    org.get('/members/:id', async (request) => request.params);
    org.get('/boom', async () => {
      throw new Error('boom');
    });
    org.register(async (team) => team.get('/x', async (request) => request.params), {
      prefix: '/teams/:team',
    });
  },
  { prefix: '/orgs/:org' },
);
const shared = async (side) => side.get('/shared/:id', async (request) => request.params);
app.register(shared, { prefix: '/left' });
app.register(shared, { prefix: '/right' });

await app.listen({ port, host });
