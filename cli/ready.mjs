// The image's health check: succeeds when the services of this container answer /readyz with 200. The command
// line of process 1 says which services run. Plain JavaScript without imports, because it runs every 5 seconds.
import { readFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';

const ports = {
  collector: process.env.ROLLCALL_OTLP_HTTP_PORT || '4318',
  analyzer: process.env.ROLLCALL_ANALYZER_PORT || '4380',
};
const command = commandOfProcess1();
const names = command in ports ? [command] : Object.keys(ports);
const get = process.env.ROLLCALL_TLS_CERT ? getTls : getPlain;

for (const name of names) {
  // The connection stays inside this container, so the certificate's name does not matter.
  const options = {
    host: '127.0.0.1',
    port: ports[name],
    path: '/readyz',
    rejectUnauthorized: false,
  };
  const request = get({ ...options, timeout: 2500 }, (response) => {
    response.resume();
    if (response.statusCode !== 200) fail(`${name} answers ${response.statusCode}`);
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', (error) => {
    // The service requires a client certificate, which this check does not have: the service is up.
    if (/^ERR_SSL_.*CERTIFICATE/.test(error.code ?? '')) return;
    fail(`${name}: ${error.message}`);
  });
}

/** Of `node collector/main.ts` or `node cli/rollcall.mjs analyzer`, possibly after the words of an init process. */
function commandOfProcess1() {
  const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0');
  const script = words.find((word) => word.endsWith('/main.ts'));
  if (script !== undefined) return script.split('/').at(-2);
  return words[words.findIndex((word) => word.endsWith('rollcall.mjs')) + 1] ?? '';
}

function fail(why) {
  console.error(why);
  process.exitCode = 1;
}
