import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { authority, writePair } from '../support/certificates.ts';
import { protobufType, traces } from '../support/export-request.ts';
import { runToEnd, startCollectorProcess, temporaryFolder } from '../support/process.ts';
import { http1Client, http2Client } from '../support/secure-client.ts';
import { waitFor } from '../support/wait.ts';

/** docs/conformance.md A1: the files of a certificate, as they are swapped and as they are wrong. */
const folder = temporaryFolder();
const ca = authority('Test authority');
afterAll(() => folder.remove());

/** Common name of the certificate that a new HTTP/2 connection is shown. */
async function shownOn(url: string): Promise<string> {
  const client = await http2Client(url, { ca: ca.cert });
  const name = client.serverName();
  client.close();
  return name;
}

test('A1 new files are taken without an end; open connections stay; a bad pair changes nothing', async () => {
  const names = writePair(`${folder.path}/swapped`, ca.issue('before'));
  const collector = await startCollectorProcess(`${folder.path}/reload.db`, names);
  const { url, grpcUrl } = collector;
  const early1 = http1Client(url, { ca: ca.cert });
  const early2 = await http2Client(url, { ca: ca.cert });
  const shown = async () => {
    const client = http1Client(url, { ca: ca.cert, maxCachedSessions: 0 } as ConnectionOptions);
    expect((await client.send('/healthz', { method: 'GET' })).status).toBe(200);
    const name = client.serverName();
    client.close();
    return name;
  };
  const grpcShown = () => shownOn(grpcUrl);
  const logged = (text: string) => {
    return waitFor(`the log line "${text}"`, () => collector.output().includes(text));
  };
  const early = async () => {
    for (const client of [early1, early2]) {
      const headers = { 'content-type': protobufType };
      const { status } = await client.send('/v1/traces', { headers, body: traces(1) });
      expect([status, client.serverName()]).toEqual([200, 'before']);
    }
  };
  await early();
  expect([await shown(), await grpcShown()]).toEqual(['before', 'before']);

  writePair(`${folder.path}/swapped`, ca.issue('after'));
  await waitFor('the certificate "after"', async () => (await shown()) === 'after');
  expect(await grpcShown()).toBe('after');
  await early();

  writeFileSync(names.ROLLCALL_TLS_KEY, ca.issue('other').key);
  await logged('is not the key of the certificate');
  writeFileSync(names.ROLLCALL_TLS_CERT, 'nothing');
  await logged('holds no certificate in PEM form');
  rmSync(names.ROLLCALL_TLS_CERT);
  await logged('does not exist');
  expect([await shown(), await grpcShown()]).toEqual(['after', 'after']);
  await early();

  writePair(`${folder.path}/swapped`, ca.issue('healed'));
  await waitFor('the certificate "healed"', async () => (await shown()) === 'healed');
  await early();
  for (const client of [early1, early2]) client.close();
  expect(await collector.stop()).toMatchObject({ code: 0 });
});

test('A1 a secret of Kubernetes: a link to a folder is swapped', async () => {
  const mount = `${folder.path}/mount`;
  const version = (name: string) => {
    mkdirSync(`${mount}/..${name}`, { recursive: true });
    const { cert, key } = ca.issue(name);
    writeFileSync(`${mount}/..${name}/tls.crt`, cert);
    writeFileSync(`${mount}/..${name}/tls.key`, key);
    symlinkSync(`..${name}`, `${mount}/..new`);
    renameSync(`${mount}/..new`, `${mount}/..data`);
  };
  version('one');
  symlinkSync('..data/tls.crt', `${mount}/tls.crt`);
  symlinkSync('..data/tls.key', `${mount}/tls.key`);
  const collector = await startCollectorProcess(`${folder.path}/kubernetes.db`, {
    ROLLCALL_TLS_CERT: `${mount}/tls.crt`,
    ROLLCALL_TLS_KEY: `${mount}/tls.key`,
  });
  const shown = () => shownOn(collector.url);
  expect(await shown()).toBe('one');
  version('two');
  rmSync(`${mount}/..one`, { recursive: true });
  await waitFor('the certificate "two"', async () => (await shown()) === 'two');
  await collector.stop();
});

test('A1 a bad file ends the start with one line that names variable, file and reason', async () => {
  const ours = writePair(`${folder.path}/ours`, ca.issue('first'));
  const other = ca.issue('other');
  const bad = (name: string, text: string) => {
    writeFileSync(`${folder.path}/${name}`, text);
    return `${folder.path}/${name}`;
  };
  const damaged = other.cert.replace(/\n.{8}/, '\nAAAAAAAA');
  const cases: [Record<string, string>, string][] = [
    [{ ROLLCALL_TLS_CERT: `${folder.path}/no.pem` }, 'does not exist'],
    [{ ROLLCALL_TLS_CERT: bad('a', '') }, 'holds no certificate in PEM form'],
    [{ ROLLCALL_TLS_CERT: bad('b', damaged) }, 'cannot be used: its certificate is damaged'],
    [
      { ROLLCALL_TLS_CERT: bad('c', ' '.repeat(1024 * 1024 + 1)) },
      'has 1048577 bytes; the bound is 1048576',
    ],
    [{ ROLLCALL_TLS_CERT: folder.path }, 'is not a regular file'],
    [{ ROLLCALL_TLS_KEY: bad('d', other.cert) }, 'holds no private key in PEM form'],
    [
      { ROLLCALL_TLS_KEY: bad('e', other.key) },
      'is not the key of the certificate in ROLLCALL_TLS_CERT=',
    ],
    [{ ROLLCALL_TLS_CLIENT_CA: bad('f', other.key) }, 'holds no certificate in PEM form'],
    [
      { ROLLCALL_TLS_CLIENT_CA: bad('g', other.cert + damaged) },
      'cannot be used: certificate 2 in it is damaged',
    ],
  ];
  for (const [change, why] of cases) {
    const [[variable, file]] = Object.entries(change) as [[string, string]];
    const env = { ROLLCALL_STORE: `sqlite:${folder.path}/never.db`, ...ours, ...change };
    const entries = ['collector/main.ts', 'analyzer/main.ts'];
    for (const { code, output } of await Promise.all(entries.map((each) => runToEnd(each, env)))) {
      expect([code, output.trim().split('\n')]).toEqual([
        1,
        [expect.stringContaining(`${variable}=${file} ${why}`)],
      ]);
    }
  }
  const served = await runToEnd(
    'cli/rollcall.mjs',
    { ROLLCALL_STORE: `sqlite:${folder.path}/never.db`, ...ours, ...cases[0]![0] },
    ['serve'],
  );
  expect([served.code, served.output.trim().split('\n')]).toEqual([
    1,
    [expect.stringContaining('does not exist')],
  ]);
});

test('a certificate that is a device or a FIFO is refused at once, by name', async () => {
  const names = writePair(`${folder.path}/odd`, ca.issue('odd'));
  const fifo = `${folder.path}/fifo.pem`;
  execFileSync('mkfifo', [fifo]);
  for (const odd of ['/dev/zero', fifo, folder.path]) {
    const { code, output } = await runToEnd('collector/main.ts', {
      ROLLCALL_STORE: `sqlite:${folder.path}/odd.db`,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ...names,
      ROLLCALL_TLS_CERT: odd,
    });
    expect(output).toContain(`ROLLCALL_TLS_CERT=${odd} is not a regular file`);
    expect(code).toBe(1);
  }
});
