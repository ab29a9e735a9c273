import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startAnalyzerProcess, temporaryFolder } from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * `npm run test:proxy`: an analyzer behind nginx (Debian: `apt-get install nginx-light`), below a path that nginx
 * strips, strips and tells, or passes on. Every reference of pages, the OpenAPI document and lists is followed.
 */
const prefix = '/tools/rollcall';
const ways = [
  { name: 'strips the path', location: (to: string) => `proxy_pass ${to}/;`, env: {} },
  {
    name: 'strips the path and sends X-Forwarded-Prefix',
    location: (to: string) => `proxy_pass ${to}/; proxy_set_header X-Forwarded-Prefix ${prefix};`,
    env: {},
  },
  {
    name: 'passes the path on',
    location: (to: string) => `proxy_pass ${to};`,
    env: { ROLLCALL_BASE_PATH: prefix },
  },
];

execFileSync('nginx', ['-v'], { stdio: 'inherit' });
for (const { name, location, env } of ways) {
  const folder = temporaryFolder();
  const analyzer = await startAnalyzerProcess(join(folder.path, 'rollcall.db'), env);
  const port = await freePort();
  const configuration = join(folder.path, 'nginx.conf');
  mkdirSync(join(folder.path, 'temp'));
  writeFileSync(configuration, nginxConfiguration(port, location(analyzer.url), folder.path));
  const nginx = spawn('nginx', ['-c', configuration, '-g', 'daemon off;'], { stdio: 'inherit' });
  try {
    await followAll(`http://127.0.0.1:${port}`);
    process.stdout.write(`nginx ${name}: every reference leads on\n`);
  } finally {
    nginx.kill('SIGTERM');
    await new Promise((resolve) => nginx.once('close', resolve));
    await analyzer.stop();
    folder.remove();
  }
}

async function followAll(proxy: string): Promise<void> {
  const at = `${proxy}${prefix}/`;
  const isUp = () =>
    fetch(`${at}healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor('nginx to answer', isUp, { withinMs: 10_000, everyMs: 100 });
  for (const path of ['', 'endpoints', 'endpoints/12', 'api/docs']) {
    const page = await ok(`${at}${path}`);
    const references = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, found]) => found!);
    if (references.length === 0) throw new Error(`${at}${path} refers to nothing`);
    for (const reference of references) await ok(String(new URL(reference, `${at}${path}`)));
  }
  const document = `${at}api/v1/openapi.json`;
  const { servers } = JSON.parse(await ok(document)) as { servers: { url: string }[] };
  await ok(`${new URL(servers[0]!.url, document)}/report`);
  const bare = await fetch(`${proxy}${prefix}`, { headers: { accept: 'text/html' } });
  if (!bare.ok || !bare.url.endsWith('/')) throw new Error(`${bare.url}: ${bare.status}`);
}

async function ok(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function nginxConfiguration(port: number, location: string, folder: string): string {
  return `
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/temp;
  server {
    listen 127.0.0.1:${port};
    location ${prefix}/ { ${location} }
  }
}
`;
}
