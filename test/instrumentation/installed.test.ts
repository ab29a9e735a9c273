import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { startApp } from './app.ts';
import { reportedCalls } from './usage.ts';
import { installed, nodeBinary, nodeMajors } from './workshop.ts';

/** The packed package in a fresh folder, under every Node, in both module systems, against a real Rollcall. */
const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`);
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

const register = '@rollcall/instrumentation/register';
const ways = [
  { name: 'import-esm', args: ['--import', register, 'app.mjs'] },
  { name: 'import-cjs', args: ['--import', register, 'app.cjs'] },
  { name: 'require-cjs', args: ['--require', register, 'app.cjs'] },
  { name: 'code-esm', args: ['app.mjs'], fromCode: true },
  { name: 'code-cjs', args: ['app.cjs'], fromCode: true },
] as const;

const rounds = 25;

describe.each(nodeMajors)('Node %i', (major) => {
  it.each(ways)('$name', async (way) => {
    const node = await nodeBinary(major);
    const app = await installed(`node-${major}-${way.name}`, { express: '5.2.1' });
    const service = `${way.name}-${major}`;
    const isFromCode = 'fromCode' in way;
    const running = await startApp(app, [node, ...way.args], {
      ROLLCALL_ENDPOINT: rollcall.addresses.otlp_http!,
      ...(isFromCode ? { FROM_CODE: '1', NAME_IN_CODE: service } : { OTEL_SERVICE_NAME: service }),
    });
    for (let round = 0; round < rounds; round += 1) await callAll(running.url);
    const { signal } = await running.stop();

    expect(signal, running.output()).toBe('SIGTERM');
    expect(await reportedCalls(rollcall.addresses.analyzer!, service)).toEqual({
      'GET /api/v1/things/{thing} 200': rounds,
      'GET /boom 500': rounds,
      ...(isFromCode ? {} : { 'GET /health 200': rounds }),
      'GET /users/{id} 200': 2 * rounds,
      'GET (unmatched) 404': rounds,
      'HEAD /users/{id} 200': rounds,
      'POST /orders 201': rounds,
    });
    expect(running.output()).not.toContain('rollcall:');
  });
});

async function callAll(url: string): Promise<void> {
  const answers = [
    await fetch(`${url}/users/1`),
    await fetch(`${url}/users/2?token=secret`, { headers: { 'x-tenant': 'acme' } }),
    await fetch(`${url}/users/3`, { method: 'HEAD' }),
    await fetch(`${url}/orders`, { method: 'POST', body: 'x' }),
    await fetch(`${url}/boom`),
    await fetch(`${url}/health`),
    await fetch(`${url}/api/v1/things/9`),
    await fetch(`${url}/nothing-here`),
  ];
  for (const answer of answers) await answer.arrayBuffer();
}
