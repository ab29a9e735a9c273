import { afterAll, beforeAll, expect, it } from 'vitest';
import { runToEnd, startCollectorProcess, temporaryFolder } from '../support/process.ts';

/** The metrics ask for no key: with projects apart they name nothing that belongs to one. */
const folder = temporaryFolder();
const storePath = `${folder.path}/rollcall.db`;
let collector: Awaited<ReturnType<typeof startCollectorProcess>>;
beforeAll(async () => {
  collector = await startCollectorProcess(storePath, { ROLLCALL_AUTH: 'keys' });
});
afterAll(async () => {
  await collector.stop();
  folder.remove();
});

it('with keys /metrics tells how far a clock is ahead, and not whose', async () => {
  const { output } = await runToEnd('cli/rollcall.mjs', { ROLLCALL_STORE: `sqlite:${storePath}` }, [
    ...['keys', 'create', '--project', 'secret-project', '--scope', 'ingest'],
  ]);
  const [key] = /rck_[\w-]{43}/.exec(output) ?? [];
  const endNs = BigInt(Date.now() + 300_000) * 1_000_000n;
  const text = (name: string, value: string) => ({ key: name, value: { stringValue: value } });
  const span = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'GET /x',
    kind: 2,
    startTimeUnixNano: String(endNs - 1_000_000n),
    endTimeUnixNano: String(endNs),
    attributes: [text('http.request.method', 'GET'), text('http.route', '/x')],
  };
  const resource = {
    attributes: [
      text('service.name', 'secret-shop'),
      text('service.instance.id', 'secret-instance'),
    ],
  };
  const sent = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  });
  expect(sent.status).toBe(200);

  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(Number(/^rollcall_clock_ahead_seconds (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(250);
  expect(metrics).not.toMatch(/secret/);
});
