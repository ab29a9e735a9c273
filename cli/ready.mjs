// The image's health check: whether the services of this container answer /readyz with 200. Which they are
// is what process 1 was asked for; plain JavaScript and nothing loaded, because it runs every few seconds.
import { readFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';

const ports = {
  collector: process.env.ROLLCALL_OTLP_HTTP_PORT || '4318',
  analyzer: process.env.ROLLCALL_ANALYZER_PORT || '4380',
};
const asked = commandOfProcess1();
const names = asked in ports ? [asked] : Object.keys(ports);
const get = process.env.ROLLCALL_TLS_CERT ? getTls : getPlain;

for (const name of names) {
  // Nobody is trusted by this connection: it asks a port of this container, whatever its certificate says.
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
    // It asks for a client's certificate: it is there, and nobody in here has one.
    if (/^ERR_SSL_.*CERTIFICATE/.test(error.code ?? '')) return;
    fail(`${name}: ${error.message}`);
  });
}

/** `node collector/main.ts`, `node cli/rollcall.mjs analyzer`, perhaps behind an init's own words. */
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
