import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';

/**
 * `npm run test:clock -- FILES`: runs each test file so that an edge of the calendar passes while it runs, in its own
 * process and in all that it starts. A test that fails here fails in CI at some minute of some day.
 *   --edge 2026-12-31T24:00:00Z   the edge; the next hour and the next end of a month unless told
 *   --lead 8                      seconds from a file's start to the edge, enough for services to start
 */
const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { edge: { type: 'string', multiple: true }, lead: { type: 'string', default: '8' } },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const preload = fileURLToPath(new URL('../../support/shifted-clock.mjs', import.meta.url));
const folder = temporaryFolder();
const clock = join(folder.path, 'clock');
const failed: string[] = [];
try {
  for (const edgeMs of values.edge?.map((edge) => Date.parse(edge)) ?? nextEdges()) {
    for (const file of files) {
      if (!passes(file, edgeMs)) failed.push(`${new Date(edgeMs).toISOString()} ${file}`);
    }
  }
} finally {
  folder.remove();
}
process.stdout.write(failed.length === 0 ? 'all passed\n' : `failed:\n${failed.join('\n')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** The next full hour, and the midnight after the last day of this month. */
function nextEdges(): number[] {
  const now = new Date();
  const hourMs = 3_600_000;
  return [
    Math.ceil(now.getTime() / hourMs) * hourMs,
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1),
  ];
}

function passes(file: string, edgeMs: number): boolean {
  writeFileSync(clock, String(edgeMs - Number(values.lead) * 1000 - Date.now()));
  const env = {
    ...process.env,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${preload}`,
    SHIFTED_CLOCK: clock,
  };
  const args = ['vitest', 'run', '--config', 'test/vitest.config.ts', '--reporter=dot', file];
  const { status, stdout, stderr } = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8' });
  process.stdout.write(
    `${new Date(edgeMs).toISOString()} ${file}: ${status === 0 ? 'ok' : 'FAILED'}\n`,
  );
  if (status !== 0) process.stdout.write(stdout + stderr);
  return status === 0;
}
