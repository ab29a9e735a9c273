import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import {
  type Running,
  runToEnd,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { waitFor } from '../support/wait.ts';
import { everythingOnce, Trial } from './trial.ts';

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
  await waitFor('20 refusals', () => sending.refusals.length >= 20);
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

/**
 * Immutable files refuse writes even to root and through open descriptors. Not the -shm file: it is mapped
 * memory, and a mapped page that may not be written any more ends the process (SIGBUS).
 * @returns why it failed
 */
function makeReadOnly(): string | undefined {
  return changeAttributes('+i');
}

function makeWritable(): void {
  changeAttributes('-i');
}

function changeAttributes(change: '+i' | '-i'): string | undefined {
  const files = [storePath, `${storePath}-wal`, `${storePath}.lock`].filter((path) =>
    existsSync(path),
  );
  try {
    execFileSync('chattr', [change, ...files], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
