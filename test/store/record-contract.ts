import { describe, expect, it } from 'vitest';
import { defaultRetention } from '../../core/config/retention.ts';
import { limits } from '../../core/limits.ts';
import { type Outcome, outcomeOf, outcomes } from '../../core/outcome.ts';
import type { CallReader, EndpointRecord, LastCaller } from '../../core/store/store.ts';
import { roundedWeight } from '../../core/weight.ts';
import { type ContextCall, inContexts } from './contexts.ts';
import { sumOf } from './expected.ts';
import { endMs, randomCalls, weighted, weightOf } from './made-calls.ts';
import { type EngineUnderTest, inNewStore, type StartEngine } from './opened-store.ts';

/** What every engine keeps for ever of an endpoint: what became of its calls, who got an answer, which versions. */
export function recordContract(engine: string, start: StartEngine): void {
  describe(`${engine} store: permanent records`, () => {
    const nowS = 1_790_000_000;
    let under: EngineUnderTest;
    let reader: CallReader;
    const { open, close, append } = inNewStore(start, nowS, (opened) => {
      ({ under, reader } = opened);
    });
    const records = (): Promise<EndpointRecord[]> =>
      reader.snapshot('default', (snapshot) => snapshot.endpoints({}));
    const expectRecords = async (calls: readonly ContextCall[]): Promise<void> => {
      const truth = Map.groupBy(calls, keyOf);
      const found = await records();
      expect(found.map(keyOf).sort()).toEqual([...truth.keys()].sort());
      for (const record of found) expectRecord(record, truth.get(keyOf(record))!);
    };

    it('keeps outcomes, answered callers and versions at every stage, whatever is purged', async () => {
      const calls = inContexts(1, randomCalls(101, 3_000, nowS, 6));
      await append(calls.slice(0, 1_000));
      await expectRecords(calls.slice(0, 1_000));
      await under.compact();
      await expectRecords(calls.slice(0, 1_000));
      await append(calls.slice(1_000, 2_000));
      await append(calls.slice(2_000));
      await expectRecords(calls);
      await close();
      await open();
      await expectRecords(calls);
      await under.compact();
      await under.purge(nowS + defaultRetention.daysS * 2);
      await expectRecords(calls);
    });

    it('keeps the same for any split of the calls into batches, late ones last', async () => {
      const calls = inContexts(2, randomCalls(102, 900, nowS, 2));
      const latestFirst = calls.toSorted((a, b) => endMs(b) - endMs(a));
      for (let at = 0; at < calls.length; at += 90) {
        await append(latestFirst.slice(at, at + 90));
        if (at % 270 === 0) await under.compact();
      }
      await expectRecords(calls);
      await under.compact();
      await expectRecords(calls);
    });

    it('counts outcomes with weights as what they stand for, and says how many spans were seen', async () => {
      const weights = [1, 1, 0, 2, roundedWeight(1 / 0.3), 2 ** 20];
      const calls = inContexts(3, weighted(103, randomCalls(103, 2_000, nowS, 3), weights));
      await append(calls.slice(0, 700));
      await under.compact();
      await append(calls.slice(700));
      await expectRecords(calls);
      await under.compact();
      await expectRecords(calls);
    });

    it('has no answered call of an endpoint that only refused, missed and failed', async () => {
      const calls = inContexts(4, randomCalls(104, 90, nowS, 1)).map((call, i) => ({
        ...call,
        status: [401, 403, 429, 404, 405, 410, 400, 500, 0][i % 9]!,
      }));
      await append(calls.slice(0, 40));
      await under.compact();
      await append(calls.slice(40));
      for (const record of await records()) {
        expect(record).toMatchObject({ lastAnsweredCallers: [], lastAnsweredVersion: '' });
        expect(record.lastAnsweredMs).toBeUndefined();
        expect(record.lastPersonMs).toBeUndefined();
        expect(record.lifetimeOutcomes.answered).toBe(0);
      }
      await expectRecords(calls);
      const answer = { ...calls[0]!, status: 302, endS: nowS - 50 * 86_400 };
      await append([answer]);
      await expectRecords([...calls, answer]);
    });

    it('keeps the versions that were called last, and adds the others up', async () => {
      const [call] = inContexts(5, randomCalls(105, 1, nowS, 1));
      const many = limits.versionsPerRecord + 10;
      const calls = Array.from({ length: many }, (_, i) => ({
        ...call!,
        endS: nowS - 1_000 + i,
        context: { ...call!.context, serviceVersion: `1.${i}.0` },
      }));
      for (const part of [calls.slice(0, 20), calls.slice(20)]) {
        await append(part);
        await under.compact();
      }
      const [record] = await records();
      expect(record!.versions.map(({ version }) => version)).toEqual([
        ...calls
          .slice(10)
          .map(({ context }) => context.serviceVersion)
          .reverse(),
        '{other}',
      ]);
      expect(record!.versions.at(-1)).toEqual({
        version: '{other}',
        firstCallMs: endMs(calls[0]!),
        lastCallMs: endMs(calls[9]!),
        seenCalls: 10,
      });
    });
  });
}

function keyOf({ service, method, route }: { service: string; method: string; route: string }) {
  return `${service} ${method} ${route}`;
}

function expectRecord(record: EndpointRecord, calls: readonly ContextCall[]): void {
  const seen = (of: Outcome) => calls.filter(({ status }) => outcomeOf(status) === of);
  const answered = seen('answered').toSorted((a, b) => endMs(b) - endMs(a));
  expect(record.lifetimeCalls).toBe(sumOf([...calls]));
  expect(record.lifetimeOutcomes).toEqual(countsOf((outcome) => sumOf(seen(outcome))));
  if (calls.some((call) => weightOf(call) !== 1)) {
    expect(record.sampling?.seenOutcomes).toEqual(countsOf((outcome) => seen(outcome).length));
  }
  expect(record.botCalls).toBe(calls.filter(({ context }) => context.bot).length);
  expect(record.lastAnsweredMs).toBe(answered[0] && endMs(answered[0]));
  expect(record.lastAnsweredVersion).toBe(answered[0]?.context.serviceVersion ?? '');
  expect(record.lastAnsweredCallers).toEqual(callersOf(answered));
  const person = answered.find(({ context }) => !context.bot);
  expect(record.lastPersonMs).toBe(person && endMs(person));
  expect(record.unrecordedMs).toBeUndefined();
  const versions = Map.groupBy(calls, ({ context }) => context.serviceVersion);
  const expected = [...versions].map(([version, own]) => ({
    version,
    firstCallMs: Math.min(...own.map(endMs)),
    lastCallMs: Math.max(...own.map(endMs)),
    seenCalls: own.length,
  }));
  expect(record.versions).toEqual(expected.sort((a, b) => b.lastCallMs - a.lastCallMs));
}

function countsOf(count: (outcome: Outcome) => number) {
  return Object.fromEntries(outcomes.map((outcome) => [outcome, count(outcome)]));
}

/** @param calls latest first */
function callersOf(calls: readonly ContextCall[]): LastCaller[] {
  const callers = new Map<string, LastCaller>();
  for (const call of calls) {
    const { consumer, agent } = call.context;
    const key = `${call.client}\0${consumer}\0${agent}`;
    if (callers.has(key)) continue;
    callers.set(key, { client: call.client, consumer, agent, atMs: endMs(call) });
  }
  return [...callers.values()].slice(0, limits.lastCallers);
}
