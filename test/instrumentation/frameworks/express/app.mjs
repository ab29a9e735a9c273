import express from 'express';
import { host, pause, port, slowMs } from '../listen.mjs';

// Express 4 and 5 spell wildcards, parameters with a rule and lists in their own ways.
const is5 = typeof express.Router.prototype?.handle === 'function';

const app = express();
app.use(express.json());
app.use('/guarded', (_req, res) => res.status(401).send('no'));
app.get('/health', (_req, res) => res.send('ok'));
app.get('/users/:id', (req, res) => {
  if (req.params.id === 'none') res.status(404).send('none');
  else res.json(req.params);
});
app.post('/orders', (_req, res) => res.status(201).send('created'));
app.all('/any/:id', (req, res) => res.json(req.params));
app.get(['/colour/:id', '/color/:id'], (req, res) => res.json(req.params));
app.get(is5 ? '/files/*path' : '/files/*', (_req, res) => res.send('file'));
app.get(/^\/digits\/(\d+)$/, (_req, res) => res.send('digits'));
const forbid = (_req, res) => res.status(403).send('no');
app.get('/checked/:id', forbid, (_req, res) => res.send('never'));
app.get('/boom', () => {
  throw new Error('boom');
});
// Express 4 does not see what a promise throws.
app.get('/boom-async', async (_req, _res, next) => {
  await pause(1);
  if (is5) throw new RangeError('boom');
  next(new RangeError('boom'));
});
app.get('/slow/:id', async (_req, res) => {
  await pause(slowMs);
  res.send('slow');
});
app.get('/stream/:id', (_req, res) => {
  res.write('begin');
});

const v1 = express.Router();
v1.get('/', (_req, res) => res.send('root'));
v1.get('/things', (_req, res) => res.send('list'));
v1.get('/things/:id', (req, res) => res.json(req.params));
app.use('/api/v1', v1);

const org = express.Router({ mergeParams: true });
const team = express.Router({ mergeParams: true });
org.get('/members/:id', (req, res) => res.json(req.params));
org.get('/boom', () => {
  throw new Error('boom');
});
team.get('/x', (req, res) => res.json(req.params));
org.use('/teams/:team', team);
app.use('/orgs/:org', org);

const shared = express.Router();
shared.get('/shared/:id', (req, res) => res.json(req.params));

const onRegex = express.Router();
onRegex.get('/inner/:id', (req, res) => res.json(req.params));
app.use(/^\/rx(\d+)/, onRegex);
const pages = express.Router();
pages.get(/^\/page-(\d+)$/, (_req, res) => res.send('page'));
app.use('/books/:book', pages);

const admin = express();
admin.get('/stats/:id', (req, res) => res.json(req.params));
admin.get('/boom', () => {
  throw new Error('boom');
});
const deep = express();
deep.get('/inner/:id', (req, res) => res.json(req.params));
admin.use('/deep', deep);
app.use('/admin', admin);

// Middleware below a mount that restores the whole URL: what stands behind it repeats the mount.
const restoring = express.Router();
restoring.use((req, _res, next) => {
  req.url = req.originalUrl;
  next();
});
restoring.get('/-/x/items/:id', (req, res) => res.json(req.params));
restoring.get('/-/x/boom', () => {
  throw new Error('boom');
});
app.use('/-/x', restoring);

// Middleware that rewrites the URL to that of a route below a mount.
app.use((req, _res, next) => {
  req.url = req.url.replace(/^\/former\/(\d+)/, '/left/shared/$1');
  next();
});
app.use('/left', shared);
app.use(['/right', '/rechts'], shared);

// Lists of paths whose handler passes on, and a page behind them that answers.
const passOn = (_req, _res, next) => next();
app.get(['/docs/swagger-ui', '/docs/explorer'], passOn);

// A router that nobody can see from outside.
const lazy = express.Router();
lazy.get('/items/:id', (req, res) => res.json(req.params));
lazy.get(['/swagger-ui', '/explorer'], passOn);
app.use('/lazy', (req, res, next) => lazy(req, res, next));

app.use(['/docs', '/lazy'], (_req, res) => res.send('page'));

app.post('/add-later', (_req, res) => {
  v1.get('/later/:id', (req, res) => res.json(req.params));
  res.send('added');
});
// Answers errors where every mount is left already.
app.use((_error, _req, res, _next) => {
  res.status(500).send('failed');
});

const server = app.listen(port, host);
server.keepAliveTimeout = 10_000;
app.get('/after-listen', (_req, res) => res.send('after'));
