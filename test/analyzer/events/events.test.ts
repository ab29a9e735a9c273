import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { limits } from '../../../core/limits.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

/** Events that are told, on a real collector and analyzer, by REST and by the command line. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
  const span = serverSpan({ name: 'GET /a', attributes: callTo('/a') });
  const attributes = [
    { key: 'service.name', value: 'shop' },
    { key: 'service.version', value: '1.0' },
  ];
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body: encodeTraces([{ attributes, scopes: [{ name: 'test', spans: [span] }] }]),
  });
  expect(response.status).toBe(200);
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
async function api(path: string, init: RequestInit = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`, init);
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  if (text !== '') checkDocumented(init.method ?? 'GET', path, response.status, body);
  return { status: response.status, body };
}
const post = (body: unknown) =>
  api('/events', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const titles = async (path: string): Promise<unknown[]> =>
  (await api(path)).body.events.map((event: { kind: string; title: string | null }) =>
    event.kind === 'deployment' ? 'deployment' : event.title,
  );
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('events that are told', () => {
  it('are listed beside deployments and on every time series of their services, and can be deleted', async () => {
    const at = minutesAgo(30);
    const told = { kind: 'incident', title: 'Failover', at, service: 'shop', environment: '' };
    const link = 'https://status.example/1';
    const { status, body } = await post({ ...told, link });
    expect(status).toBe(201);
    const row = { ...told, at, link, version: null, previous_version: null };
    expect(body).toEqual({ ...row, id: expect.stringMatching(/^[\w-]{12}$/) });
    expect((await post({ kind: 'flag', title: ' Checkout on ', service: 'mail' })).status).toBe(
      201,
    );
    const everywhere = await post({ kind: 'migration', title: 'New ü zone', at: minutesAgo(40) });
    expect(everywhere.body).toMatchObject({ service: null, environment: null, link: null });

    expect((await api('/events')).body.events).toContainEqual(body);
    expect((await titles('/events?window=1h')).toSorted()).toEqual(
      ['Checkout on', 'Failover', 'New ü zone', 'deployment'].toSorted(),
    );
    const ofShop = ['New ü zone', 'Failover', 'deployment'];
    expect(await titles('/timeseries?window=1h&service=shop')).toEqual(ofShop);
    expect(await titles('/summary?window=1h&service=shop')).toEqual(ofShop);
    const { endpoints } = (await api('/report?service=shop')).body;
    expect(await titles(`/endpoints/${endpoints[0].id}?window=1h`)).toEqual(ofShop);
    expect(await titles('/timeseries?window=1h&service=shop&environment=other')).toEqual([
      'New ü zone',
    ]);
    expect(await titles('/timeseries?window=35m&service=mail')).toEqual(['Checkout on']);

    expect((await api(`/events/${body.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await titles('/timeseries?window=1h&service=shop')).toEqual([
      'New ü zone',
      'deployment',
    ]);
    const again = await api(`/events/${body.id}`, { method: 'DELETE' });
    expect([again.status, again.body.error.code]).toEqual([404, 'not_found']);
  });

  it('are in CSV safely, whatever their titles', async () => {
    await post({ kind: 'note', title: '=HYPERLINK("http://evil")', at: minutesAgo(5) });
    const response = await fetch(
      `${rollcall.addresses.analyzer}/api/v1/events?window=1h&format=csv`,
    );
    expect(await response.text()).toContain(`"'=HYPERLINK(""http://evil"")"`);
  });

  it.each([
    [{ title: 'a' }, 'kind'],
    [{ kind: 'Incident!', title: 'a' }, 'kind'],
    [{ kind: `a${'b'.repeat(32)}`, title: 'a' }, 'kind'],
    [{ kind: 'flag' }, 'title'],
    [{ kind: 'flag', title: '  ' }, 'title'],
    [{ kind: 'flag', title: 'x'.repeat(limits.eventTitleCharacters + 1) }, 'title'],
    [{ kind: 'flag', title: 7 }, 'title'],
    [{ kind: 'flag', title: 'a', at: 'yesterday' }, 'at'],
    [{ kind: 'flag', title: 'a', at: '2026-02-30' }, 'at'],
    [{ kind: 'flag', title: 'a', at: '2099-01-01' }, 'at'],
    [{ kind: 'flag', title: 'a', link: 'javascript:alert(1)' }, 'link'],
    [{ kind: 'flag', title: 'a', link: 'https://' }, 'link'],
    [{ kind: 'flag', title: 'a', link: `https://e.example/${'x'.repeat(1_000)}` }, 'link'],
    [{ kind: 'flag', title: 'a', service: 'ü'.repeat(128) }, 'service'],
    [{ kind: 'flag', title: 'a', environment: 'x'.repeat(101) }, 'environment'],
    [{ kind: 'flag', title: 'a', version: 'x'.repeat(101) }, 'version'],
    [{ kind: 'flag', title: 'a', author: 'ada' }, 'author'],
  ])('POST %j is refused, naming %s', async (body, field) => {
    const answer = await post(body);
    expect([answer.status, answer.body.error.field]).toEqual([400, field]);
  });

  it('are refused when the body is no JSON or too large', async () => {
    expect((await post('kind: flag')).body.error.message).toBe('the body is not JSON');
    expect((await post('[1]')).status).toBe(400);
    const large = await post(`{"kind":"flag","title":"${'x'.repeat(limits.commandBytes)}"}`);
    expect([large.status, large.body.error.code]).toEqual([413, 'too_large']);
  });

  it('are told, listed and removed by the command line', async () => {
    const script = fileURLToPath(new URL('../../../cli/rollcall.mjs', import.meta.url));
    const run = async (...args: string[]) => {
      const there = ['--url', rollcall.addresses.analyzer!];
      const all = [script, 'events', ...args, ...there];
      return (await promisify(execFile)(process.execPath, all)).stdout;
    };
    const told = ['--kind', 'deployment', '--title', 'By the pipeline', '--service', 'shop'];
    const id = (await run('add', ...told, '--version', '1.1')).trim();
    const table = await run('list', '--window', '1h', '--service', 'shop');
    expect(table).toMatch(new RegExp(`deployment +shop +\\(all\\) +1\\.1 +By the pipeline +${id}`));
    await run('remove', id);
    expect(await run('list', '--window', '1h')).not.toContain('By the pipeline');
    await expect(run('add', '--kind', 'flag')).rejects.toMatchObject({ code: 2 });
    await expect(run('remove', 'nothing')).rejects.toMatchObject({ code: 1 });
  }, 60_000);
});
