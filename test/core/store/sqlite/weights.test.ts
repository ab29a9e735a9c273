import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CallBatch } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { limits } from '../../../../core/limits.ts';
import { StoredCalls } from '../../../../core/store/sqlite/calls/stored-calls.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { migrate } from '../../../../core/store/sqlite/schema.ts';
import { CallRows } from '../../../../core/store/sqlite/usage/call-rows.ts';
import { encodeFacts } from '../../../../core/store/sqlite/usage/encoded-facts.ts';
import { factsOfCalls } from '../../../../core/store/sqlite/usage/endpoint-facts.ts';
import { OriginNumbers } from '../../../../core/store/sqlite/usage/origin-numbers.ts';
import { sortBy } from '../../../../core/store/sqlite/usage/radix-sort.ts';
import { BlockWriter } from '../../../../core/store/sqlite/usage/usage-block.ts';
import { UsageEntries } from '../../../../core/store/sqlite/usage/usage-entries.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { Tally } from '../../../../core/usage/tally.ts';
import { copiesOf, roundedWeight } from '../../../../core/weight.ts';
import { allTime } from '../../../../core/window.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { rawCallsOf } from '../../../support/stored-calls.ts';

/** Blocks and facts as the program wrote them before there were weights (commit 16af355). */
const before = [
  {
    block:
      '01f5f09c0e019600019403010000000087d6324187ad4b008300b30802000101990001c8010100000080ca414c419587e201008300cd0b020204020001990001c801010000000087d642418eda9601008300b30a020202020102990001c801010000000087d652419cb4ad02008300b30c020206020101970001c80101000000c0288c5741a3e1f802008300ff0c020000019a000194030100000080ca415c41aa8ec403008300cd0d02020203010101990001c8010100000020b67b6041b1bb8f040083008d0e020204020101970001c80101000000e057316541bf95a605008300d90e02000001990001c801010000000087d66241b8e8da04008300b30e020206020102990001c80101000000c0288c6741c6c2f105008300ff0e0202020201019a0001940301000000a0f9e66941cdefbc06008300a70f02020403010001990001c8010100000080ca416c41d49c8807008300cd0f02020602',
    facts: '01f490daa28c3480b518060202020100000180f10402b4c9dca28c3480b518060102030100010180f104',
    calls: [0, 12] as const,
  },
  {
    block:
      '01fdf09c0e01970001c80101000000609b9c6e41dbc9d307008300f30f02000101990001c80101000000901ea97141e9a3ea080083009f10020204020001990001c8010100000020b67b7041e2f69e080083008d100202020201029a00019403010000000087d67241f0d0b509008300b31002020603010101970001c8010100000070ef037441f7fd800a008300c51002000001990001c80101000000e057317541feaacc0a008300d910020202020101990001c8010100000050c05e764185d8970b008300ed10020204020102990001c80101000000c0288c77418c85e30b008300ff1002020602',
    facts: '01f4d4eda28c3480d30e040002020100000180f10402b48df0a28c3480d30e040102030100010180f104',
    calls: [12, 20] as const,
  },
];

const startS = 1_790_000_000;

/** What `before` holds, one call every 40 s for two endpoints in turn. */
function callRows([from, to]: readonly [number, number]): CallRows {
  const calls = new CallRows(64);
  for (let n = from; n < to; n += 1) {
    const status = n % 5 === 0 ? 404 : 200;
    addCall(calls, 1 + (n % 2), startS + 40 * n, status, (n + 1) * 1_234_567, n % 4);
  }
  return calls;
}

/** A call of the origin 1 that ended half a second after `endS`. */
function addCall(
  calls: CallRows,
  endpoint: number,
  endS: number,
  status: number,
  durationNs: number,
  client: number,
): void {
  const stored = new StoredCalls(1);
  stored.push(1);
  const { columns } = stored;
  columns.endpoint[0] = endpoint;
  columns.status[0] = status;
  columns.endS[0] = endS;
  columns.endNs[0] = 5e8;
  columns.durationNs[0] = durationNs;
  columns.client[0] = client;
  columns.origin[0] = 1;
  calls.pushStored(stored);
}

function blockOf(calls: CallRows): Buffer {
  const writer = new BlockWriter();
  writer.begin();
  const order = sortBy(calls.length, calls.endpoint, calls.minute);
  writer.addCalls(calls, order, new Tally(), originNumbers());
  return writer.finish().block;
}

/** The usage of `before` as it is written now: with outcomes and minutes of clients. */
const blocksNow = [
  '01f5f09c0e01970081089403010000000087d6324187ad4b008300b308020001019e008108c8010100000080ca414c419587e201008300cd0b0202ede1b91c040200019e008108c801010000000087d642418eda9601008300b30a0202ede1b91c020201029e008108c801010000000087d652419cb4ad02008300b30c0202efe1b91c0602010198008108c80101000000c0288c5741a3e1f802008300ff0c02000001a000810894030100000080ca415c41aa8ec403008300cd0d0202f1e1b91c0203020101019e008108c8010100000020b67b6041b1bb8f040083008d0e0202f3e1b91c0402010198008108c80101000000e057316541bf95a605008300d90e020000019e008108c801010000000087d66241b8e8da04008300b30e0202f5e1b91c060201029e008108c80101000000c0288c6741c6c2f105008300ff0e0202f7e1b91c02020101a0008108940301000000a0f9e66941cdefbc06008300a70f0202f9e1b91c0403020100019e008108c8010100000080ca416c41d49c8807008300cd0f0202f9e1b91c0602',
  '01fdf09c0e0198008108c80101000000609b9c6e41dbc9d307008300f30f020001019e008108c80101000000901ea97141e9a3ea080083009f100202fde1b91c040200019e008108c8010100000020b67b7041e2f69e080083008d100202fde1b91c02020102a00081089403010000000087d67241f0d0b509008300b3100202ffe1b91c06030201010198008108c8010100000070ef037441f7fd800a008300c510020000019e008108c80101000000e057317541feaacc0a008300d910020281e2b91c020201019e008108c8010100000050c05e764185d8970b008300ed10020283e2b91c040201029e008108c80101000000c0288c77418c85e30b008300ff10020285e2b91c0602',
];

/** The facts of `before` as they are written now: with outcomes, versions and the callers of answered calls. */
const factsNow = [
  '0106f490daa28c3480b51806020081f10402020100000180f104010180b51800060400020002000180f104020180e2090206b4c9dca28c3480b5180601000102030100010180f104010180b51800060500010002030100010180f104',
  '0100f4d4eda28c3480d30e0400000102020100000180f104010180d30e00040206b48df0a28c3480d30e0401000102030100010180f104010180d30e00040300010002030100010180f104',
];

/** Of the one origin of these calls. */
function originNumbers(): OriginNumbers {
  const db = new Database(':memory:');
  migrate(db);
  db.exec(`
    INSERT INTO origin VALUES (1, '1.0', '', 'curl', 0, '', 0);
    INSERT INTO service_version VALUES (1, '1.0');
    INSERT INTO consumer VALUES (1, 'curl', 1);
  `);
  return new OriginNumbers(db);
}

describe('usage without weights', () => {
  it.each([0, 1])('is written without the numbers of weights: part %i', (part) => {
    const calls = callRows(before[part]!.calls);
    expect(blockOf(calls).toString('hex')).toBe(blocksNow[part]);
  });

  it.each([0, 1])('says the same as before there were weights: part %i', (part) => {
    const { calls, block } = before[part]!;
    const read = (bytes: Uint8Array) => {
      const entries = new UsageEntries();
      entries.addBlock(bytes);
      return Array.from({ length: entries.length }, (_, i) => {
        const tally = new Tally();
        entries.addTo(tally, i);
        const clients = [1, 2, 3].map((client) => tally.clients.countsOf(client));
        const counts = clients.map(({ firstMinute: _, lastMinute: __, ...own }) => own);
        return { at: [entries.minute[i], entries.endpoint[i]], usage: tally.usage(), counts };
      });
    };
    expect(read(Buffer.from(block, 'hex'))).toEqual(read(blockOf(callRows(calls))));
  });

  it.each([0, 1])('has facts without the numbers of weights: part %i', (part) => {
    const calls = callRows(before[part]!.calls);
    const backward = Uint32Array.from({ length: calls.length }, (_, i) => calls.length - 1 - i);
    const facts = encodeFacts(factsOfCalls(calls, backward, originNumbers()));
    expect(facts.toString('hex')).toBe(factsNow[part]);
  });

  it('is again, in columns that held weights', () => {
    const calls = callRows([0, 12]);
    calls.setWeight(3, 8, 8);
    calls.clear();
    const again = callRows(before[0]!.calls);
    for (let i = 0; i < again.length; i += 1) {
      const [endS, client] = [startS + 40 * i, again.client[i]!];
      addCall(calls, again.endpoint[i]!, endS, again.status[i]!, again.durationNs[i]!, client);
    }
    expect(blockOf(calls).toString('hex')).toBe(blocksNow[0]);
  });
});

describe('a store written before there were weights', () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  afterAll(() => folder.remove());

  it('answers as it did, and takes calls with weights', async () => {
    const [settled, waiting] = before;
    const db = new Database(path);
    db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    migrate(db, 1);
    db.exec(`
      INSERT INTO project VALUES (1, 'default');
      INSERT INTO service VALUES (1, 1, 'shop', '');
      INSERT INTO origin VALUES (1, '1.0', '', 'curl', 0, '');
      INSERT INTO client VALUES (1, '192.0.2.1'), (2, '192.0.2.2'), (3, '192.0.2.3');
      INSERT INTO endpoint VALUES (1, 1, 'GET', '/a', 0, ${startS * 1000 + 500}, ${(startS + 400) * 1000 + 500}, 6, 2, '[0,1,1]'),
        (2, 1, 'GET', '/b', 0, ${(startS + 40) * 1000 + 500}, ${(startS + 440) * 1000 + 500}, 6, 1, '[0,1,1]');
      INSERT INTO usage_shard VALUES (0, 1);
      INSERT INTO service_day VALUES (1, ${Math.floor(startS / 86_400)});
      UPDATE meta SET value = 20 WHERE key = 'rolled_up_call';
      UPDATE meta SET value = ${Math.floor(startS / 60)} WHERE key = 'settled_from';
      UPDATE meta SET value = ${Math.floor(startS / 60) + 30} WHERE key = 'settled_to';
    `);
    const addBlock = db.prepare('INSERT INTO usage_block VALUES (5, ?, 0, ?)');
    const bucket = 64 * 1440;
    addBlock.run(Math.floor(startS / 60 / bucket) * bucket, Buffer.from(settled!.block, 'hex'));
    const addRun = db.prepare('INSERT INTO usage_run VALUES (1, 0, 0, ?, ?)');
    addRun.run(Buffer.from(waiting!.block, 'hex'), Buffer.from(waiting!.facts, 'hex'));
    db.close();

    const retention = defaultRetention;
    const now = () => (startS + 3600) * 1000;
    const writer = await openSqliteWriter({ path, retention, now });
    const reader = await openSqliteReader(path);
    const totals = () =>
      reader.snapshot('default', async (snapshot) => ({
        total: await snapshot.total({}, allTime),
        lifetime: (await snapshot.endpoints({})).map((record) => record.lifetimeCalls),
        sampled: (await snapshot.endpoints({})).map((record) => record.sampling?.lastMs),
      }));
    const old = await totals();
    const sumNs = (20 * 21 * 1_234_567) / 2;
    expect(old.total).toMatchObject({ calls: 20, errors4xx: 4, sumNs, maxNs: 20 * 1_234_567 });
    expect(old.total).not.toHaveProperty('sampling');
    expect(old).toMatchObject({ lifetime: [10, 10], sampled: [undefined, undefined] });

    await writer.append(batchOf(4), {
      epoch: 0,
      endpoints: [endpointName],
      origins: [{ serviceVersion: '', consumer: '', agent: '', bot: false, errorType: '' }],
      clients: [],
      sideBySide: [],
    });
    const atMs = (startS + 100) * 1000;
    const expected = { lifetime: [14, 10], sampled: [atMs, undefined] };
    expect(await totals()).toMatchObject({ total: { calls: 24 }, ...expected });
    await writer.compact();
    expect(await totals()).toMatchObject({
      total: { calls: 24, sampling: { seen: 21, variance: 12 } },
      ...expected,
    });
    expect(rawCallsOf(path)).toMatchObject([{ id: 21, where: 'block', route: '/a', weight: 4 }]);
    await writer.purge(startS + 3600 + retention.callsS + 1);
    expect(rawCallsOf(path)).toEqual([]);
    expect(await totals()).toMatchObject({ total: { calls: 24 }, ...expected });
    await reader.close();
    await writer.close();
  });

  const endpointName = {
    project: 'default',
    service: 'shop',
    environment: '',
    method: 'GET',
    route: '/a',
    templated: false,
  };

  function batchOf(weight: number): CallBatch {
    const batch = new CallBatch();
    const { columns } = batch;
    batch.push();
    columns.endpoint[0] = 1;
    columns.origin[0] = 1;
    columns.endS[0] = startS + 100;
    columns.status[0] = 200;
    columns.durationNs[0] = 1e6;
    batch.weights.add(0, weight, weight);
    batch.deliveries.push({
      project: 'default',
      digest: Buffer.alloc(16, 1),
      firstCall: 0,
      calls: 1,
    });
    return batch;
  }
});

describe('a tally with weights', () => {
  const encoded = (tally: Tally): Uint8Array => {
    const out = new Uint8Array(tally.encodedBytesMax);
    return out.subarray(0, tally.encode(out, 0));
  };
  const fill = (tally: Tally, from: number, to: number): Tally => {
    for (let n = from; n < to; n += 1) {
      const weight = [1, 2, roundedWeight(100 / 3), 0, limits.callWeight][n % 5]!;
      const ns = (n + 1) * 3_000_000;
      if (weight === 1) tally.addCall(200 + (n % 3), ns, n % 7, n);
      else {
        const copies = copiesOf(weight, (n % 10) / 10);
        tally.addWeightedCall(400 + (n % 3), ns, n % 7, n, weight, copies);
      }
    }
    return tally;
  };

  it('is the same whether calls come singly or merged in any grouping', () => {
    const whole = fill(new Tally(), 0, 1_000).usage();
    const cuts = [0, 3, 4, 5, 17, 500, 1_000];
    const parts = cuts.slice(1).map((to, i) => encoded(fill(new Tally(), cuts[i]!, to)));
    const left = new Tally();
    for (const part of parts) left.addEncoded(part, 0);
    const right = new Tally();
    const pairs = [0, 2, 4].map((i) => {
      const pair = new Tally();
      pair.addEncoded(parts[i + 1]!, 0);
      pair.addEncoded(parts[i]!, 0);
      return encoded(pair);
    });
    for (const pair of pairs.reverse()) right.addEncoded(pair, 0);
    for (const tally of [left, right]) {
      const { sumNs, sampling, statuses, ...usage } = tally.usage();
      const { sumNs: wholeNs, sampling: wholeSampling, statuses: all, ...rest } = whole;
      expect(usage).toEqual(rest);
      expect(statuses).toEqual(all);
      expect(Math.abs(sumNs - wholeNs)).toBeLessThan(1e-12 * wholeNs);
      expect(sampling!.seen).toBe(1_000);
      expect(Math.abs(sampling!.variance - wholeSampling!.variance)).toBeLessThan(
        1e-12 * wholeSampling!.variance,
      );
    }
    left.clear();
    expect(left.usage()).toEqual(new Tally().usage());
  });

  it('of calls of weight 0 alone is seen, counts nothing, and takes nothing from what it is added to', () => {
    const nothing = new Tally();
    nothing.addWeightedCall(500, 9e9, 3, 7, 0, 0);
    expect(nothing.usage()).toMatchObject({
      calls: 0,
      errors5xx: 0,
      maxNs: 0,
      uniqueClients: 0,
      sampling: { seen: 1, variance: 0 },
    });
    const some = new Tally();
    some.addEncoded(encoded(nothing), 0);
    some.addCall(200, 5e6, 1, 7);
    some.addEncoded(encoded(nothing), 0);
    expect(some.usage()).toMatchObject({
      calls: 1,
      errors5xx: 0,
      minNs: 5e6,
      maxNs: 5e6,
      sampling: { seen: 3 },
    });
  });
});
