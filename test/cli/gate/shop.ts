import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall } from '../../support/process.ts';

/** A shop whose calls are known, and two versions of its specification, for the gate in CI. */

const dayMs = 86_400_000;
const script = fileURLToPath(new URL('../../../cli/rollcall.mjs', import.meta.url));
const steps = fileURLToPath(new URL('gate.sh', import.meta.url));

const yaml = (paths: string) =>
  `openapi: 3.1.0\ninfo: {title: shop, version: '1'}\npaths:\n${paths}`;

const base = yaml(`  /users/{id}:
    get: {}
    delete: {}
  /orders:
    post:
      deprecated: true
      x-sunset: '2020-01-01'
  /old:
    get: {}
`);

/** Without DELETE /users/{id}, which is called, and GET /old, which is not. */
const next = yaml(`  /users/{user_id}:
    get: {}
  /orders:
    post:
      deprecated: true
      x-sunset: '2020-01-01'
`);

/**
 * Calls of 41 days, once a day; GET /old was called on the first of them alone. They stand 12 hours from the edges of
 * a window of days, which is rounded outward to the hour: a window of 7 days has 7 of them at any minute of the hour.
 */
async function callShop(collector: string): Promise<void> {
  const daily = ['GET /users/{id}', 'DELETE /users/{id}', 'POST /orders', 'GET /secret?<&"'];
  const spans = Array.from({ length: 41 }, (_, day) =>
    [...daily, ...(day === 40 ? ['GET /old'] : [])].map((name) => {
      const [method = '', route = ''] = name.split(' ');
      const attributes = callTo(route).map((one) =>
        one.key === 'http.request.method' ? { ...one, value: method } : one,
      );
      const endNs = BigInt(Date.now() - day * dayMs - dayMs / 2) * 1_000_000n;
      return serverSpan({
        name,
        attributes: [
          ...attributes,
          { key: 'client.address', value: '203.0.113.7' },
          { key: 'enduser.id', value: 'carmen' },
        ],
        startTimeUnixNano: endNs - 5_000_000n,
        endTimeUnixNano: endNs,
      });
    }),
  ).flat();
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const headers = { 'content-type': protobufType };
  const sent = await fetch(`${collector}/v1/traces`, { method: 'POST', headers, body });
  if (sent.status !== 200) throw new Error(`the collector answered ${sent.status}`);
}

/**
 * Runs gate.sh on real services.
 * @param folder receives the specifications and what each format writes
 * @returns the lines of its steps
 */
export async function runGate(folder: string): Promise<string[]> {
  let rollcall: Running | undefined;
  try {
    rollcall = await startRollcall(join(folder, 'rollcall.db'));
    await callShop(rollcall.addresses.otlp_http!);
    writeFileSync(join(folder, 'base.yaml'), base);
    writeFileSync(join(folder, 'new.yaml'), next);
    writeFileSync(join(folder, 'wrong.yaml'), 'hello');
    const env = { ...process.env, ROLLCALL_KEY: '', ROLLCALL: `${process.execPath} ${script}` };
    const args = [steps, folder, rollcall.addresses.analyzer!];
    const { stdout } = await promisify(execFile)('sh', args, { env }).catch(
      (failed: { stdout: string }) => failed,
    );
    return stdout.trim().split('\n');
  } finally {
    await rollcall?.stop();
  }
}
