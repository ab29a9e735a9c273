import express from 'express';

const app = express();
app.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
app.post('/users', (_req, res) => res.status(201).end());
app.get('/broken', () => {
  throw new Error('boom');
});
app.get('/gone', (_req, res) => res.status(410).end());

const orders = express.Router();
orders.get('/:orderId/items/:itemId', (req, res) => res.json(req.params));
const v1 = express.Router();
v1.use('/orders', orders);
app.use('/v1', v1);

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ app: `http://127.0.0.1:${server.address().port}` }));
});
