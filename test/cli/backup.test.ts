import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connections, postTraces } from '../labs/load/post.ts';
import { askReport } from '../labs/load/report.ts';
import { traces } from '../support/export-request.ts';
import {
  runToEnd,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

let folder: ReturnType<typeof temporaryFolder>;
let store: string;
beforeEach(() => {
  folder = temporaryFolder();
  store = `${folder.path}/rollcall.db`;
});
afterEach(() => folder.remove());

const rollcall = (command: string, storePath: string, ...args: string[]) =>
  runToEnd('cli/rollcall.mjs', { ROLLCALL_STORE: `sqlite:${storePath}` }, [command, ...args]);

async function callsIn(storePath: string): Promise<number> {
  const analyzer = await startAnalyzerProcess(storePath);
  const nowS = Math.floor(Date.now() / 1000);
  const report = await askReport(analyzer.url, { fromS: nowS - 3600, toS: nowS + 3600 });
  await analyzer.stop();
  return report.summary.total_requests;
}

describe('rollcall backup and restore', () => {
  it('take a store under load as it is at one moment, and count on from there', async () => {
    const collector = await startCollectorProcess(store);
    const agent = connections(2);
    const sent: Buffer[] = [];
    let acknowledged = 0;
    let ended = false;
    const sending = (async () => {
      while (!ended) {
        sent.push(traces(10));
        const { status } = await postTraces(collector.url, agent, sent.at(-1)!);
        expect(status).toBe(200);
        acknowledged += 1;
      }
    })();
    await waitFor('50 acknowledged requests', () => acknowledged >= 50);
    const before = acknowledged;
    const target = `${folder.path}/backup.db`;
    const backup = await rollcall('backup', store, '--to', target);
    const after = acknowledged;
    expect(backup).toMatchObject({ code: 0, output: expect.stringMatching(/: \d+ bytes\n$/) });
    expect(after).toBeGreaterThan(before);
    ended = true;
    await sending;
    await collector.stop();
    // One more may have been committed and not been acknowledged yet.
    const files = readdirSync(folder.path).filter((name) => name.startsWith('backup'));
    expect(files).toEqual(['backup.db']);

    const restored = `${folder.path}/other/rollcall.db`;
    expect((await rollcall('restore', restored, '--from', target)).code).toBe(0);
    const calls = await callsIn(restored);
    expect(calls % 10).toBe(0);
    expect(calls / 10).toBeGreaterThanOrEqual(before);
    expect(calls / 10).toBeLessThanOrEqual(after + 1);

    // What was in the backup is known, what came later is counted: everything sent again is all of it, once.
    const second = await startCollectorProcess(restored);
    for (const bytes of sent) expect((await postTraces(second.url, agent, bytes)).status).toBe(200);
    await second.stop();
    agent.destroy();
    expect(await callsIn(restored)).toBe(sent.length * 10);
  });

  it('refuse what would destroy or what is no backup, naming it', async () => {
    const collector = await startCollectorProcess(store);
    const agent = connections(1);
    await postTraces(collector.url, agent, traces(10));
    const target = `${folder.path}/backup.db`;
    expect((await rollcall('backup', store, '--to', target)).code).toBe(0);
    await postTraces(collector.url, agent, traces(10));
    agent.destroy();

    const refused = async (why: RegExp, command: string, path: string, ...args: string[]) => {
      const { code, output } = await rollcall(command, path, ...args);
      expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(why) });
    };
    await refused(/backup\.db exists already/, 'backup', store, '--to', target);
    await refused(/there is no store at/, 'backup', `${folder.path}/none.db`, '--to', `${target}2`);
    await refused(/there is no backup at/, 'restore', store, '--from', `${folder.path}/none.db`);
    await refused(/there is a store at .*--replace/, 'restore', store, '--from', target);
    const replace = ['--from', target, '--replace'];
    await refused(/is being written by another collector/, 'restore', store, ...replace);
    const text = `${folder.path}/text.db`;
    writeFileSync(text, 'no database');
    await refused(/text\.db is no store of Rollcall/, 'restore', store, '--from', text);
    const torn = `${folder.path}/torn.db`;
    writeFileSync(torn, readFileSync(target));
    truncateSync(torn, readFileSync(target).length / 2);
    await refused(/torn\.db is (damaged|no store)/, 'restore', store, '--from', torn);
    expect((await rollcall('backup', store)).code).toBe(2);

    await collector.stop();
    expect(await callsIn(store)).toBe(20);
    expect((await rollcall('restore', store, ...replace)).code).toBe(0);
    expect(await callsIn(store)).toBe(10);
  });

  it('restore beside an analyzer that holds the store open: it answers 503, and no later call is lost', async () => {
    const agent = connections(1);
    const send = async (url: string, calls: number) =>
      expect((await postTraces(url, agent, traces(calls))).status).toBe(200);
    const first = await startCollectorProcess(store);
    await send(first.url, 10);
    const target = `${folder.path}/backup.db`;
    expect((await rollcall('backup', store, '--to', target)).code).toBe(0);
    await send(first.url, 5);
    await first.stop();

    const reader = await startAnalyzerProcess(store);
    const report = () => fetch(`${reader.url}/api/v1/report?window=1h`);
    expect((await report()).status).toBe(200);
    expect((await rollcall('restore', store, '--from', target, '--replace')).code).toBe(0);
    // Numbers of the replaced file would be wrong ones.
    const answer = await report();
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringMatching(/rollcall\.db was replaced while in use/),
    ]);
    expect((await fetch(`${reader.url}/readyz`)).status).toBe(503);

    // The write-ahead log of the new file is not the reader's to read, to check or to delete.
    const second = await startCollectorProcess(store);
    await send(second.url, 3);
    expect((await report()).status).toBe(503);
    await reader.stop();
    await send(second.url, 4);
    expect(await callsIn(store)).toBe(17);
    await second.stop('SIGKILL');
    expect(await callsIn(store)).toBe(17);
    agent.destroy();
  });
});
