/** What is measured: a small API as most are, with a mounted router, some middleware and JSON answers. */
const express = require('express');

const app = express();
app.use(express.json());
app.use((_request, response, next) => {
  response.set('cache-control', 'no-store');
  next();
});
const api = express.Router();
api.get('/users/:id', (request, response) => response.json({ id: request.params.id, name: 'a' }));
api.post('/orders', (_request, response) => response.status(201).json({ id: 1 }));
app.use('/api', api);
app.get('/health', (_request, response) => response.send('ok'));
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
