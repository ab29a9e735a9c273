// A service that calls another one for each of its own requests.
import { get } from 'node:http';
import express from 'express';

const { USERS_URL } = process.env;
const app = express();
app.get('/shop/:id', (req, res) => {
  get(`${USERS_URL}/users/${req.params.id}`, (answer) => {
    answer.resume();
    answer.on('end', () => res.json({ status: answer.statusCode }));
  }).on('error', () => res.status(502).end());
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ app: `http://127.0.0.1:${server.address().port}` }));
});
