import express from 'express';
import { listen, slowMs } from './listen.mjs';

const app = express();
app.get('/health', (_req, res) => res.send('ok'));
app.get('/users/:id', (req, res) => res.json(req.params));
app.post('/orders', (_req, res) => res.status(201).send('created'));
app.get('/orders/:order/items/:item', (req, res) => res.json(req.params));
app.get('/boom', () => {
  throw new Error('boom');
});
app.get('/files/*path', (req, res) => res.json(req.params));
app.get('/slow', (_req, res) => setTimeout(() => res.send('slow'), slowMs));

const v1 = express.Router();
v1.get('/things/:id', (req, res) => res.json(req.params));
app.use('/api/v1', v1);

listen((port, host) => app.listen(port, host));
