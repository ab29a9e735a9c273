import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultRetention } from '../../core/config/retention.ts';
import { Random } from '../../core/random.ts';
import { countCalls } from '../../core/store/sqlite/calls/call-tables.ts';
import { Database } from '../../core/store/sqlite/database.ts';
import { openSqliteWriter } from '../../core/store/sqlite/writer/writer.ts';
import { connections, postTraces } from '../labs/load/post.ts';
import { askReport, differences, windowOf } from '../labs/load/report.ts';
import { type TrueWindow, Truth } from '../labs/load/truth.ts';
import { Workload } from '../labs/load/workload.ts';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';

/**
 * Two hundred routes with durations from 50 µs to 60 s, calls of the last day and a half and late ones of
 * 40 days ago, one request in twenty sent again as a retry would: what the report says is compared with
 * the exact truth, right after the last acknowledgement, after a restart, and without any raw call left.
 */
const bodies = 160;
const daysS = 86_400;
const nowMs = Date.now();
const nowS = Math.floor(nowMs / 1000);
const spreadS = 36 * 3600;
const workload = new Workload({
  seed: 2026,
  routes: 200,
  spansPerBody: 500,
  nowMs: nowMs - 1000,
  spreadS,
  lateShare: 0.03,
  lateS: 40 * daysS,
});
const everything: TrueWindow = { fromS: nowS - 60 * daysS, toS: nowS + 3600 };
const truth = new Truth();
const folder = temporaryFolder();
const store = `${folder.path}/rollcall.db`;
let collector: Running & { url: string };
let analyzer: Running & { url: string };

beforeAll(async () => {
  collector = await startCollectorProcess(store);
  analyzer = await startAnalyzerProcess(store);
  const random = new Random(1);
  const agent = connections(4);
  const post = async (bytes: Buffer): Promise<void> => {
    const gzip = random.below(4) === 0;
    const sent = gzip ? gzipSync(bytes, { level: 1 }) : bytes;
    const answer = await postTraces(
      collector.url,
      agent,
      sent,
      gzip ? { 'content-encoding': 'gzip' } : {},
    );
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
  };
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < bodies) {
      const { bytes, calls } = workload.body(next++);
      for (const call of calls) truth.add(call);
      await post(bytes);
      if (random.below(20) === 0) await post(bytes);
    }
  };
  await Promise.all([send(), send(), send(), send()]);
  agent.destroy();
});

afterAll(async () => {
  await analyzer?.stop();
  await collector?.stop();
  folder.remove();
});

test('the workload is what it says', () => {
  const usage = [...truth.usage(everything).values()];
  expect(usage).toHaveLength(200);
  expect(usage.reduce((sum, { calls }) => sum + calls, 0)).toBe(bodies * 500);
  expect(Math.max(...usage.map(({ uniqueClients }) => uniqueClients))).toBeGreaterThan(1000);
});

describe('right after the last acknowledgement', () => {
  reportsTheTruth();
});

describe('after a restart', () => {
  beforeAll(async () => {
    expect((await collector.stop()).code).toBe(0);
    await analyzer.stop();
    collector = await startCollectorProcess(store);
    analyzer = await startAnalyzerProcess(store);
  });
  reportsTheTruth();
});

describe('after all raw calls were purged', () => {
  beforeAll(async () => {
    await collector.stop();
    const retention = { ...defaultRetention, callsS: 0 };
    const writer = await openSqliteWriter({ path: store, retention });
    await writer.purge(Math.ceil(Date.now() / 1000));
    await writer.close();
    expect(rawCalls()).toBe(0);
    collector = await startCollectorProcess(store);
  });
  reportsTheTruth();
});

function reportsTheTruth(): void {
  test('over all time', async () => {
    const report = await askReport(analyzer.url, everything);
    expect(differences(report, truth.usage(everything), truth.usage(everything))).toEqual([]);
    expect(report.estimated).toBe(false);
  });

  test('in windows between any two minutes of the last day and a half', async () => {
    const random = new Random(7);
    const firstMinute = Math.ceil((nowS - spreadS) / 60);
    for (let n = 0; n < 8; n += 1) {
      const [a, b] = [random.below(spreadS / 60), random.below(spreadS / 60)];
      const fromS = (firstMinute + Math.min(a, b)) * 60;
      const window = { fromS, toS: (firstMinute + Math.max(a, b) + 1) * 60 };
      const report = await askReport(analyzer.url, window);
      expect(windowOf(report)).toEqual(window);
      expect(report.window.resolution).toBe('minute');
      expect(differences(report, truth.usage(window), truth.usage(everything))).toEqual([]);
    }
  });

  test('in windows that begin among the late calls, where only hours are left', async () => {
    const random = new Random(8);
    for (let n = 0; n < 4; n += 1) {
      const fromS = Math.floor((nowS - 40 * daysS - random.below(spreadS)) / 60) * 60;
      const asked = { fromS, toS: Math.floor((nowS - random.below(spreadS)) / 60) * 60 };
      const report = await askReport(analyzer.url, asked);
      const window = windowOf(report);
      expect(window.fromS).toBe(Math.floor(asked.fromS / 3600) * 3600);
      expect(window.toS).toBe(asked.toS);
      expect(differences(report, truth.usage(window), truth.usage(everything))).toEqual([]);
    }
  });
}

function rawCalls(): unknown {
  const db = new Database(store, { readOnly: true });
  try {
    return countCalls(db);
  } finally {
    db.close();
  }
}
