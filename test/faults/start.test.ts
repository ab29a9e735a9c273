import { afterAll, afterEach, expect, test } from 'vitest';
import { Database } from '../../core/store/sqlite/database.ts';
import {
  type Running,
  runToEnd,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { everythingOnce, Trial } from './trial.ts';

const folder = temporaryFolder();
const running: Running[] = [];

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});
afterAll(() => folder.remove());

test('a store that another collector writes: exit 1 with a clear error, and the first goes on', async () => {
  const storePath = `${folder.path}/shared.db`;
  const first = await startCollectorProcess(storePath);
  running.push(first);
  const trial = new Trial(3);
  trial.sending.connect(first.url);
  await trial.acknowledged(5);

  const second = await runToEnd('collector/main.ts', {
    ROLLCALL_STORE: `sqlite:${storePath}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
  });
  expect(second.code).toBe(1);
  expect(second.output).toContain(storePath);
  expect(second.output).toContain('another collector');

  await trial.acknowledged(trial.sending.acknowledged + 5);
  await trial.finish();
  expect(trial.sending.refusals).toEqual([]);
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

test.each([
  ['collector', 'ROLLCALL_OTLP_HTTP_PORT'],
  ['analyzer', 'ROLLCALL_ANALYZER_PORT'],
])('a port in use: the %s exits 1 and names it', async (service, variable) => {
  const first = await startCollectorProcess(`${folder.path}/first-${service}.db`);
  running.push(first);
  const { port } = new URL(first.url);
  const { code, output } = await runToEnd(`${service}/main.ts`, {
    ROLLCALL_STORE: `sqlite:${folder.path}/second-${service}.db`,
    [variable]: port,
  });
  expect(code).toBe(1);
  expect(output).toContain(port);
  expect(output).toMatch(/in use/);
});

test.each(['collector', 'analyzer'])(
  'a file of a newer version: the %s exits 1 and says so',
  async (service) => {
    const storePath = `${folder.path}/newer-${service}.db`;
    const collector = await startCollectorProcess(storePath);
    const analyzer = await startAnalyzerProcess(storePath);
    await analyzer.stop();
    await collector.stop();
    const db = new Database(storePath);
    db.pragma('user_version = 9999');
    db.close();

    const { code, output } = await runToEnd(`${service}/main.ts`, {
      ROLLCALL_STORE: `sqlite:${storePath}`,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_ANALYZER_PORT: '0',
    });
    expect(code).toBe(1);
    expect(output).toContain('9999');
    expect(output).toContain('newer');
  },
);
