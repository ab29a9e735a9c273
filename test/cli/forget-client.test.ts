import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { CallDictionary } from '../../core/call.ts';
import { defaultRetention } from '../../core/config/retention.ts';
import { openSqliteDecisions } from '../../core/store/sqlite/decisions.ts';
import { openSqliteReader } from '../../core/store/sqlite/reader/reader.ts';
import { openSqliteVerdicts } from '../../core/store/sqlite/verdicts.ts';
import { openSqliteWriter } from '../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../core/window.ts';
import { contextBatch, inContexts } from '../store/contexts.ts';
import { randomCalls } from '../store/made-calls.ts';
import { runToEnd, temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
const path = `${folder.path}/rollcall.db`;
afterAll(() => folder.remove());

const forgotten = ['203.0.113.77', '2001:db8::7334'];
const kept = '203.0.113.78';

it('rollcall forget takes an address out of every file while a collector and an analyzer run', async () => {
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const reader = await openSqliteReader(path);
  try {
    const dictionary = new CallDictionary();
    const nowS = Math.floor(Date.now() / 1000);
    const calls = inContexts(3, randomCalls(3, 600, nowS, 5, 3600)).map((call, i) => {
      const address = [...forgotten, kept][i % 3]!;
      const context = { ...call.context, consumer: `app of ${address}` };
      return { ...call, client: address, route: `/from/${address}`, context };
    });
    const append = (from: number, to: number) =>
      writer.append(contextBatch(calls.slice(from, to), dictionary, from), dictionary.takeNew());
    await append(0, 300);
    await writer.compact();
    await append(300, 600);
    const clients = () => reader.snapshot('default', (s) => s.clients({}, allTime, 10));
    expect(new Map((await clients()).map(({ client, calls }) => [client, calls]))).toEqual(
      new Map([...forgotten, kept].map((address) => [address, 200])),
    );

    const [address = ''] = forgotten;
    const decisions = await openSqliteDecisions(path);
    const verdicts = await openSqliteVerdicts(path);
    const place = { service: 'shop', environment: null, method: 'GET', route: `/from/${address}` };
    const decided = { action: 'keep', reason: '', untilMs: null, by: 'ada', decidedMs: 1 } as const;
    await decisions.decide('default', [
      { ...place, ...decided, lastAnsweredMs: 1, callers: [address, kept] },
    ]);
    const evidence = (asOfMs: number, client: string) => ({
      ...{ endpoint: '1', asOfMs },
      body: JSON.stringify({ last_answered_callers: [{ client }] }),
    });
    await verdicts.keepEvidence('default', evidence(1, address));
    await verdicts.keepEvidence('default', evidence(2, kept));
    const decision = async () =>
      (await reader.snapshot('default', (snapshot) => snapshot.decisions()))[0]!;
    expect((await decision()).callers).toEqual([address, kept]);

    for (const address of ['203.0.113.77', '2001:0DB8:0:0:0:0:0:7334']) {
      const { code, output } = await forget(address);
      expect([code, output]).toEqual([
        0,
        `${address} is taken out of ${path}; backups are not changed\n`,
      ]);
    }
    const files = readdirSync(folder.path);
    const filesWith = (text: string) => {
      return files.filter((name) => readFileSync(`${folder.path}/${name}`).includes(text));
    };
    for (const address of forgotten) expect(filesWith(address)).toEqual([]);
    expect(filesWith(kept)).not.toEqual([]);
    const after = await clients();
    expect(after.map(({ calls }) => calls)).toEqual([200, 200, 200]);
    expect(after.filter(({ client }) => client === kept)).toHaveLength(1);
    expect(after.filter(({ client }) => /^h:[\da-f]{16}$/.test(client))).toHaveLength(2);

    const { callers, route } = await decision();
    expect(callers).toEqual([expect.stringMatching(/^h:[\da-f]{16}$/), kept]);
    expect(route).toBe(`/from/${callers[0]}`);
    const bodyOf = async (asOfMs: number) =>
      (await verdicts.evidence('default', '1', asOfMs))!.body;
    expect(await bodyOf(1)).toBe(evidence(1, callers[0]!).body);
    expect(await bodyOf(2)).toBe(evidence(2, kept).body);
    await decisions.close();
    await verdicts.close();

    expect(await forget('203.0.113.77')).toMatchObject({
      code: 1,
      output: `rollcall: ${path} does not hold the client 203.0.113.77\n`,
    });
  } finally {
    await reader.close();
    await writer.close();
  }
});

it('rollcall forget wants an address', async () => {
  expect(await forget('everybody')).toMatchObject({
    code: 2,
    output: 'rollcall: --client "everybody" must be an IP address; see rollcall help\n',
  });
});

function forget(client: string) {
  const env = { ROLLCALL_STORE: `sqlite:${path}` };
  return runToEnd('cli/rollcall.mjs', env, ['forget', '--client', client]);
}
