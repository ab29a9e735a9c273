import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gate } from '../../../cli/gate/main.ts';
import { temporaryFolder } from '../../support/process.ts';

/** An analyzer that answers the stored inventory in two pages; the new document declares nothing. */
it('a removed operation is found on the last page of the stored inventory too', async () => {
  const folder = temporaryFolder();
  const spec = join(folder.path, 'routes.txt');
  writeFileSync(spec, 'GET /kept\n');
  const row = (route: string) => ({
    service: 'shop',
    environment: 'prod',
    method: 'GET',
    route,
    declared: true,
    declared_route: route,
    status: 'active',
    marks: [],
    total_calls: 3,
    answered_count: 3,
    unique_clients: 1,
    last_called_at: '2026-03-17T10:00:00Z',
    observed_days: 400,
    last_callers: [],
    sunset_at: null,
  });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    const cursor = searchParams.get('cursor');
    asked.push(`${request.method} ${pathname} ${cursor}`);
    const answer = pathname.endsWith('/check')
      ? { endpoints: [row('/kept')], left_out: [] }
      : cursor === null
        ? { endpoints: [row('/kept')], next_cursor: 'more' }
        : { endpoints: [row('/gone')], next_cursor: null };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect(await gate(['--service', 'shop', '--spec', spec, '--url', url], {})).toBe(3);
  } finally {
    server.closeAllConnections();
    server.close();
    folder.remove();
  }
  expect(asked).toEqual([
    'POST /api/v1/services/shop/check null',
    'GET /api/v1/report null',
    'GET /api/v1/report more',
  ]);
});
