import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../../core/random.ts';
import type * as CallRowsFile from '../../../core/store/sqlite/usage/call-rows.ts';
import type * as RadixSortFile from '../../../core/store/sqlite/usage/radix-sort.ts';
import type * as UsageBlockFile from '../../../core/store/sqlite/usage/usage-block.ts';
import type * as UsageEntriesFile from '../../../core/store/sqlite/usage/usage-entries.ts';
import type * as TallyFile from '../../../core/usage/tally.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/usage.ts --base CHECKOUT`: what adding up calls costs the writer, this version and another one in
 * turn in one process: CPU nanoseconds a call of roll-up (50,000 calls of two minutes), and of merging eight runs into
 * minutes and four coarse levels. The lower quartile of the rounds: other work on the machine only adds.
 */
const { values } = parseArgs({
  options: { base: { type: 'string' }, rounds: { type: 'string', default: '100' } },
});
const rounds = Number(values.rounds);
const warmUpRounds = 50;
const runs = 8;
const runCalls = 50_000;
const firstMinute = 29_833_333;
const shapes = {
  '24 endpoints, 200 clients': [24, 200],
  '250 endpoints, 10,000 clients': [250, 10_000],
} as const;

type Version = Awaited<ReturnType<typeof loaded>>;

async function loaded(checkout: string) {
  const file = async <T>(path: string): Promise<T> =>
    (await import(pathToFileURL(resolve(checkout, 'core', path)).href)) as T;
  const usage = 'store/sqlite/usage';
  return {
    ...(await file<typeof UsageBlockFile>(`${usage}/usage-block.ts`)),
    ...(await file<typeof CallRowsFile>(`${usage}/call-rows.ts`)),
    ...(await file<typeof UsageEntriesFile>(`${usage}/usage-entries.ts`)),
    ...(await file<typeof RadixSortFile>(`${usage}/radix-sort.ts`)),
    ...(await file<typeof TallyFile>('usage/tally.ts')),
  };
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const versions = new Map([['this', await loaded(root)]]);
if (values.base !== undefined) versions.set('base', await loaded(values.base));

/** One version, five consumers. */
const origins = {
  version: () => 1,
  consumer: (origin: number) => 2 * (origin + 1),
} as unknown as Parameters<UsageBlockFile.BlockWriter['addCalls']>[3];

function made({ CallRows }: Version, endpoints: number, clients: number): CallRowsFile.CallRows {
  const random = new Random(5);
  const calls = new CallRows(runCalls);
  calls.length = runCalls;
  for (let i = 0; i < runCalls; i++) {
    const drawn = random.u32();
    const minute = firstMinute + (i > runCalls / 2 ? 1 : 0);
    calls.endpoint[i] = 1 + (drawn % endpoints);
    calls.minute[i] = minute;
    calls.endMs[i] = minute * 60_000 + (drawn % 60_000);
    calls.status[i] = drawn % 50 > 0 ? 200 : 404;
    calls.durationNs[i] = 1e6 + (drawn % 1e8);
    calls.client[i] = 1 + (random.u32() % clients);
    calls.origin[i] = drawn % 5;
  }
  return calls;
}

function cpuUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

for (const [shape, [endpoints, clients]] of Object.entries(shapes)) {
  const subjects = [...versions].map(([name, version]) => {
    const calls = made(version, endpoints, clients);
    const writer = new version.BlockWriter();
    const tally = new version.Tally();
    return { name, version, calls, writer, tally, rollUp: [] as number[], merge: [] as number[] };
  });
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const { version, calls, writer, tally } = subject;
      let run: { block: Uint8Array; details: Uint8Array } | undefined;
      const rollUp = cpuUs(() => {
        writer.begin();
        const order = version.sortBy(calls.length, calls.endpoint, calls.minute);
        writer.addCalls(calls, order, tally, origins);
        run = writer.finish();
      });
      const merge = cpuUs(() => {
        const entries = new version.UsageEntries();
        for (let i = 0; i < runs; i++) {
          entries.addBlock(run!.block, undefined, 0, Number.POSITIVE_INFINITY, run!.details);
        }
        for (const minutes of [1, 60, 360, 1440, 8 * 1440]) {
          version.coalesce(entries, minutes, tally, writer);
        }
      });
      if (round < warmUpRounds) continue;
      subject.rollUp.push((rollUp * 1000) / runCalls);
      subject.merge.push((merge * 1000) / (runs * runCalls));
    }
  }
  for (const { name, rollUp, merge } of subjects) {
    const [added, merged] = [rollUp, merge].map((all) =>
      quantile(
        all.toSorted((a, b) => a - b),
        25,
      ).toFixed(1),
    );
    process.stdout.write(`${shape}, ${name}: CPU ns a call: roll-up ${added}, merge ${merged}\n`);
  }
}
