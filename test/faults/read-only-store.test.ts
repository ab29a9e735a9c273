import { execFileSync } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import { type Running, runToEnd, startCollectorProcess, temporaryFolder } from '../process.ts';
import { everythingOnce, Trial, until } from './trial.ts';

const folder = temporaryFolder();
const storePath = `${folder.path}/rollcall.db`;
let collector: Running | undefined;

afterAll(async () => {
  makeWritable();
  await collector?.stop();
  folder.remove();
});

test('a store that becomes read-only: 503, never 200, until it can be written again', async (context) => {
  const { url, ...running } = await startCollectorProcess(storePath);
  collector = running;
  const trial = new Trial(2);
  const { sending } = trial;
  sending.connect(url);
  await trial.acknowledged(10);

  const refused = makeReadOnly();
  if (refused !== undefined) {
    await trial.finish();
    context.skip(`cannot make a file immutable here: ${refused}`);
  }
  await until(() => sending.refusals.length >= 20);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  const acknowledgedWhenReadOnly = sending.acknowledged;

  makeWritable();
  await trial.acknowledged(acknowledgedWhenReadOnly + 20);
  await trial.finish();
  expect(sending.refusals.filter(({ status }) => status !== 503)).toEqual([]);
  expect(await trial.compare(storePath)).toEqual(everythingOnce);
});

test('a store that is read-only at the start: exit 1, naming the store', async (context) => {
  await collector?.stop();
  const refused = makeReadOnly();
  if (refused !== undefined) context.skip(`cannot make a file immutable here: ${refused}`);
  const { code, output } = await runToEnd('collector/main.ts', {
    ROLLCALL_STORE: `sqlite:${storePath}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
  });
  makeWritable();
  expect(code).toBe(1);
  expect(output).toContain(storePath);
});

/** Immutable files refuse writes even to root and through open descriptors. @returns why it failed */
function makeReadOnly(): string | undefined {
  try {
    execFileSync('sh', ['-c', 'chattr +i "$0"*', storePath], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function makeWritable(): void {
  try {
    execFileSync('sh', ['-c', 'chattr -i "$0"*', storePath], { stdio: 'pipe' });
  } catch {
    // It never was immutable on this file system.
  }
}
