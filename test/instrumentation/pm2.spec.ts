import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';
import { type Sink, startSink } from './sink.ts';
import { installed } from './workshop.ts';

/** PM2 sends SIGINT, then SIGKILL after 1.6 s: the same exit in its log with and without the package, every span. */
const run = promisify(execFile);
const calls = 5;
let folder: string;
let sink: Sink;

beforeAll(async () => {
  folder = await installed('pm2', { pm2: '6.0.14' });
  sink = await startSink();
});
afterAll(() => sink.close());
beforeEach(() => {
  sink.spans.length = 0;
});

/** @returns PM2's line about the app's end, without times and ids */
async function endUnderPm2(ending: string, mode: string, isOurs: boolean): Promise<string> {
  const home = temporaryFolder();
  const env = {
    ...process.env,
    PM2_HOME: home.path,
    ENDING: ending,
    ROLLCALL_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  };
  const pm2 = (...args: string[]) =>
    run(process.execPath, ['node_modules/pm2/bin/pm2', ...args], { cwd: folder, env });
  const log = () => {
    const [file] = globSync('logs/app-out*.log', { cwd: home.path });
    return file === undefined ? '' : readFileSync(`${home.path}/${file}`, 'utf8');
  };
  try {
    const register = '--require @rollcall/instrumentation/register';
    const preload = isOurs ? ['--node-args', register] : [];
    const cluster = mode === 'cluster' ? ['-i', '1'] : [];
    await pm2('start', 'ending.cjs', '--name', 'app', ...cluster, ...preload);
    await waitFor('the app listens', () => /listening \d+/.test(log()), { context: log });
    const [, port] = /listening (\d+)/.exec(log())!;
    for (let call = 0; call < calls; call += 1) {
      await (await fetch(`http://127.0.0.1:${port}/call`)).text();
    }
    await pm2('stop', 'app');
    const ends = () => {
      const path = `${home.path}/pm2.log`;
      return existsSync(path)
        ? (/exited with code .*/.exec(readFileSync(path, 'utf8'))?.[0] ?? '')
        : '';
    };
    await waitFor('PM2 logs the end', () => ends() !== '');
    return ends();
  } finally {
    await pm2('kill');
    home.remove();
  }
}

it.each([
  ['no handler', 'fork'],
  ['no handler', 'cluster'],
  ['process.exit at SIGINT', 'fork'],
  ['process.exit at SIGINT', 'cluster'],
])('%s, %s mode: the same end, every span', async (ending, mode) => {
  const without = await endUnderPm2(ending, mode, false);
  expect(sink.spans).toEqual([]);
  expect(await endUnderPm2(ending, mode, true)).toBe(without);
  expect(await sink.servers(calls)).toHaveLength(calls);
});
