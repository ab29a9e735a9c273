import { createServer as createHttp2Server } from 'node:http2';
import Router from '@koa/router';
import Koa from 'koa';
import mount from 'koa-mount';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const app = new Koa();
app.silent = true;
const params = (ctx) => {
  ctx.body = ctx.params;
};
const boom = () => {
  throw new Error('boom');
};

const router = new Router();
router.get('/health', (ctx) => {
  ctx.body = 'ok';
});
router.get('/users/:id', (ctx) => {
  if (ctx.params.id === 'none') ctx.throw(404);
  ctx.body = ctx.params;
});
router.post('/orders', (ctx) => {
  ctx.status = 201;
  ctx.body = 'created';
});
router.all('/any/:id', params);
router.get(['/colour/:id', '/color/:id'], params);
router.get('/files/*path', (ctx) => {
  ctx.body = 'file';
});
router.get(/^\/digits\/(\d+)$/, (ctx) => {
  ctx.body = 'digits';
});
const forbid = (ctx) => {
  ctx.status = 403;
  ctx.body = 'no';
};
router.get('/checked/:id', forbid, params);
router.use('/guarded', (ctx) => {
  ctx.status = 401;
  ctx.body = 'no';
});
router.get('/guarded/:id', params);
router.get('/boom', boom);
router.get('/boom-async', async () => {
  await pause(1);
  throw new RangeError('boom');
});
router.get('/slow/:id', async (ctx) => {
  await pause(slowMs);
  ctx.body = 'slow';
});
router.get('/stream/:id', (ctx) => {
  ctx.respond = false;
  ctx.res.writeHead(200);
  ctx.res.write('begin');
});

const v1 = new Router();
v1.get('/', (ctx) => {
  ctx.body = 'root';
});
v1.get('/things', params);
v1.get('/things/:id', params);
router.use('/api/v1', v1.routes(), v1.allowedMethods());

const team = new Router();
team.get('/x', params);
const org = new Router();
org.get('/members/:id', params);
org.get('/boom', boom);
org.use('/teams/:team', team.routes());
router.use('/orgs/:org', org.routes());

const shared = new Router();
shared.get('/shared/:id', params);
router.use('/left', shared.routes());
router.use('/right', shared.routes());

router.post('/add-later', (ctx) => {
  router.get('/later/:id', params);
  ctx.body = 'added';
});
app.use(router.routes());
app.use(router.allowedMethods());

// A second router with a prefix, beside the first.
const prefixed = new Router({ prefix: '/prefixed/:zone' });
prefixed.get('/items/:id', params);
app.use(prefixed.routes());

const inner = new Router();
inner.get('/stats/:id', params);
inner.get('/boom', boom);
const admin = new Koa();
admin.use(inner.routes());
const deep = new Koa();
const deepest = new Router();
deepest.get('/inner/:id', params);
deep.use(deepest.routes());
admin.use(mount('/deep', deep));
app.use(mount('/admin', admin));

if (isHttp2) createHttp2Server(app.callback()).listen(port, host);
else app.listen(port, host);
