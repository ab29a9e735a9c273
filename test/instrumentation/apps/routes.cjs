/** The routes of both Express apps: every way an answer comes to be that Node alone tells apart. */
exports.addRoutes = (app, Router) => {
  app.get('/users/:id', (request, response) => response.json(request.params));
  app.post('/orders', (_request, response) => response.status(201).send('created'));
  app.get('/boom', () => {
    throw new TypeError('boom');
  });
  app.get('/health', (_request, response) => response.send('ok'));
  const api = Router();
  api.get('/things/:thing', (request, response) => response.json(request.params));
  app.use('/api/v1', api);
};
