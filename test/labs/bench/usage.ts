import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../../core/random.ts';

/**
 * `node test/labs/bench/usage.ts [--checkout OTHER]`: what adding up calls costs the writer: CPU nanoseconds a call of
 * roll-up, of merging eight runs, and of four coarse levels, for few clients and for many. Run it in turn with another
 * checkout and read the ratios.
 */
const { values } = parseArgs({
  options: { checkout: { type: 'string', default: '.' }, rounds: { type: 'string', default: '7' } },
});
const rounds = Number(values.rounds);
const warmUpRounds = 5;
const runs = 8;
const runCalls = 50_000;
const firstMinute = 29_833_333;
const shapes = {
  '24 endpoints, 200 clients': [24, 200],
  '250 endpoints, 10,000 clients': [250, 10_000],
} as const;

const from = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(resolve(values.checkout, file)).href)) as T;
const usage = 'core/store/sqlite/usage';
const { BlockWriter, coalesce } = await from<
  typeof import('../../../core/store/sqlite/usage/usage-block.ts')
>(`${usage}/usage-block.ts`);
const { CallRows } = await from<typeof import('../../../core/store/sqlite/usage/call-rows.ts')>(
  `${usage}/call-rows.ts`,
);
const { UsageEntries } = await from<
  typeof import('../../../core/store/sqlite/usage/usage-entries.ts')
>(`${usage}/usage-entries.ts`);
const { sortBy } = await from<typeof import('../../../core/store/sqlite/usage/radix-sort.ts')>(
  `${usage}/radix-sort.ts`,
);
const { Tally } = await from<typeof import('../../../core/usage/tally.ts')>('core/usage/tally.ts');

type Rows = InstanceType<typeof CallRows>;
type Origins = Parameters<InstanceType<typeof BlockWriter>['addCalls']>[3];

/** One version, five consumers. */
const origins = {
  version: () => 1,
  consumer: (origin: number) => 2 * (origin + 1),
} as unknown as Origins;

function made(random: Random, endpoints: number, clients: number): Rows {
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

const spent = { add: 0, merge: 0, levels: 0 };

function timed<T>(step: keyof typeof spent, isCounted: boolean, work: () => T): T {
  const before = process.cpuUsage();
  const done = work();
  const { user, system } = process.cpuUsage(before);
  if (isCounted) spent[step] += user + system;
  return done;
}

for (const [shape, [endpoints, clients]] of Object.entries(shapes)) {
  const random = new Random(5);
  const all = Array.from({ length: runs }, () => made(random, endpoints, clients));
  const writer = new BlockWriter();
  const tally = new Tally();
  Object.assign(spent, { add: 0, merge: 0, levels: 0 });
  let bytes = 0;
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const isCounted = round >= warmUpRounds;
    const blocks = timed('add', isCounted, () =>
      all.map((calls) => {
        writer.begin();
        const order = sortBy(calls.length, calls.endpoint, calls.minute);
        writer.addCalls(calls, order, tally, origins);
        return writer.finish();
      }),
    );
    const entries = new UsageEntries();
    for (const { block, details } of blocks) add(entries, block, details);
    const merged = timed('merge', isCounted, () => coalesce(entries, 1, tally, writer));
    bytes = merged.block.length;
    const twice = new UsageEntries();
    for (let i = 0; i < 2; i++) add(twice, merged.block, merged.details);
    timed('levels', isCounted, () => {
      for (const minutes of [60, 360, 1440, 8 * 1440]) coalesce(twice, minutes, tally, writer);
    });
  }
  const ns = (us: number): string => ((us * 1000) / (rounds * runs * runCalls)).toFixed(1);
  process.stdout.write(
    `${shape}: CPU ns a call: roll-up ${ns(spent.add)}, merge ${ns(spent.merge)}, levels ${ns(spent.levels)}; merged block ${bytes} bytes\n`,
  );
}

function add(
  entries: InstanceType<typeof UsageEntries>,
  block: Uint8Array,
  details: Uint8Array,
): void {
  entries.addBlock(block, undefined, 0, Number.POSITIVE_INFINITY, details);
}
