if (process.env.FROM_CODE === '1') {
  const { startRollcall } = require('@rollcall/instrumentation');
  startRollcall({
    serviceName: process.env.NAME_IN_CODE,
    consumer: (request) => request.headers['x-tenant'],
    ignore: (request) => request.url === '/health',
  });
}
const express = require('express');
const { addRoutes } = require('./routes.cjs');

const app = express();
app.set('env', 'test');
addRoutes(app, express.Router);
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
