import Router from '@koa/router';
import Koa from 'koa';
import { listen, slowMs } from './listen.mjs';

/** A handler of its own for each route: instrumentation-koa 0.72 tells the route of the first one only when they share it. */
const answer = () => (ctx) => {
  ctx.body = ctx.params;
};
const router = new Router();
router.get('/health', (ctx) => {
  ctx.body = 'ok';
});
router.get('/users/:id', answer());
router.post('/orders', (ctx) => {
  ctx.status = 201;
  ctx.body = 'created';
});
router.get('/orders/:order/items/:item', answer());
router.get('/boom', () => {
  throw new Error('boom');
});
router.get('/files/*path', answer());
router.get('/slow', async (ctx) => {
  await new Promise((resolve) => setTimeout(resolve, slowMs));
  ctx.body = 'slow';
});
const v1 = new Router();
v1.get('/things/:id', answer());
router.use('/api/v1', v1.routes());

const app = new Koa();
app.use(router.routes());
listen((port, host) => app.listen(port, host));
