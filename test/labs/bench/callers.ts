import { cpus } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { CallBatch, CallDictionary, callColumns } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { Random } from '../../../core/random.ts';
import { type PayloadName, payloads } from '../load/payload.ts';

/**
 * What it costs to look for internal callers (collector/extract/callers): walk and extraction with and without it, in
 * turn in one process, CPU time of the whole process. Bodies get new ids before each round, outside of the time.
 *   node test/labs/bench/callers.ts [payload …]
 */
setFlagsFromString('--max-inlined-bytecode-size-cumulative=1840');
const names = process.argv.slice(2) as PayloadName[];
const rounds = 24;
const copies = 24;

process.stdout.write(`${cpus()[0]?.model}, Node ${process.version}\n`);
for (const name of names.length > 0 ? names : (['mixed', 'server'] as const)) measure(name);

function measure(name: PayloadName): void {
  const random = new Random(7);
  const templates = Array.from({ length: 8 }, () => payloads[name](random));
  const bodies = templates.flatMap((template) =>
    Array.from({ length: copies }, () => ({ template, body: Buffer.from(template.bytes) })),
  );
  const spans = bodies.reduce((sum, { template }) => sum + template.spans, 0);
  const extractors = [false, true].map(
    (findsCallers) =>
      new Extractor({
        dictionary: new CallDictionary(),
        config: readConfig({}),
        now: Date.now,
        findsCallers,
      }),
  );
  const costs: number[][] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    for (const { template, body } of bodies) {
      template.stamp(body, random, BigInt(Date.now()) * 1_000_000n);
    }
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of order) {
      const batch = new CallBatch(callColumns(131_072));
      const before = process.cpuUsage();
      for (const { body } of bodies) {
        extractors[which]!.extract('default', body, batch);
        // One commit for each request.
        batch.truncate(0);
      }
      const { user, system } = process.cpuUsage(before);
      extractors[which]!.committed(batch);
      costs[which]!.push((user + system) / spans);
    }
  }
  const [without, withCallers] = costs.map((all) => quantile(all.slice(4), 0.25));
  process.stdout.write(
    `${name}: ${without!.toFixed(3)} µs a span without, ${withCallers!.toFixed(3)} with, ratio ` +
      `${(withCallers! / without!).toFixed(3)} (lower quartile of ${rounds - 4} rounds in turn)\n`,
  );
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}
