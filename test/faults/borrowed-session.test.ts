import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Running,
  runToEnd,
  startAnalyzerProcess,
  temporaryFolder,
} from '../support/process.ts';

/** Another site's page makes a browser use its session: every route that changes something, as the document lists them. */
const folder = temporaryFolder();
const store = `${folder.path}/rollcall.db`;
let analyzer: Running & { url: string };
let key: string;
beforeAll(async () => {
  const args = ['keys', 'create', '--project', 'default', '--scope', 'admin'];
  const { output } = await runToEnd(
    'cli/rollcall.mjs',
    { ROLLCALL_STORE: `sqlite:${store}` },
    args,
  );
  key = /rck_[\w-]{43}/.exec(output)![0];
  analyzer = await startAnalyzerProcess(store, { ROLLCALL_AUTH: 'keys' });
});
afterAll(async () => {
  await analyzer.stop();
  folder.remove();
});

async function signIn(cookie = ''): Promise<string> {
  const answer = await fetch(`${analyzer.url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-rollcall-page': '1', cookie },
    body: JSON.stringify({ key }),
  });
  expect(answer.status).toBe(201);
  return answer.headers.getSetCookie()[0]!.split(';')[0]!;
}

test('no route that changes something takes a session from another page', async () => {
  const cookie = await signIn();
  const { paths } = (await (await fetch(`${analyzer.url}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const changing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ['post', 'put', 'delete'].includes(method))
      .map((method) => ({ method: method.toUpperCase(), path: path.replace(/\{[^}]+\}/g, 'x') })),
  );
  expect(changing.length).toBeGreaterThanOrEqual(17);
  const foreign: Record<string, string>[] = [
    {},
    { 'x-rollcall-page': '1', 'sec-fetch-site': 'cross-site' },
    { 'x-rollcall-page': '1', 'sec-fetch-site': 'same-site', origin: 'https://evil.example' },
  ];
  const taken: string[] = [];
  for (const { method, path } of changing) {
    for (const headers of foreign) {
      const url = `${analyzer.url}/api/v1${path}`;
      const answer = await fetch(url, { method, headers: { cookie, ...headers } });
      if (answer.status !== 403) taken.push(`${method} ${path} ${answer.status}`);
      await answer.arrayBuffer();
    }
  }
  expect(taken).toEqual([]);
});

test('a token that somebody else chose is not taken at signing in', async () => {
  const { port } = new URL(analyzer.url);
  const chosen = `rollcall_session_${port}=${'A'.repeat(43)}`;
  const given = await signIn(chosen);
  expect(given).not.toBe(chosen);
  const answer = await fetch(`${analyzer.url}/api/v1/report`, { headers: { cookie: chosen } });
  expect(answer.status).toBe(401);
});
