import { startRollcall } from '@rollcall/instrumentation';
import express from 'express';
import routes from './routes.cjs';

if (process.env.FROM_CODE === '1') {
  startRollcall({
    serviceName: process.env.NAME_IN_CODE,
    consumer: (request) => request.headers['x-tenant'],
    ignore: (request) => request.url === '/health',
  });
}
const app = express();
app.set('env', 'test');
routes.addRoutes(app, express.Router);
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
