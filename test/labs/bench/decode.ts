import { cpus } from 'node:os';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { setV8Flags } from '../../../collector/v8-flags.ts';
import { CallBatch, CallDictionary, callColumns } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { Random } from '../../../core/random.ts';
import { type PayloadName, payloads } from '../load/payload.ts';

/**
 * What walk and extraction cost by themselves, in one process: CPU time of the whole process, garbage
 * collection included. Bodies are distinct and stamped beforehand.
 *   node test/labs/bench/decode.ts [payload …]
 */
setV8Flags();
const names = process.argv.slice(2) as PayloadName[];
const rounds = 12;
const spansPerRound = 1_000_000;

process.stdout.write(`${cpus()[0]?.model}, Node ${process.version}\n`);
for (const name of names.length > 0 ? names : (['mixed', 'server', 'wide'] as const)) measure(name);

function measure(name: PayloadName): void {
  const random = new Random(7);
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const bodies: Buffer[] = [];
  let spans = 0;
  let servers = 0;
  for (let i = 0; i < 8; i += 1) {
    const template = payloads[name](random);
    spans += template.spans * 8;
    servers += template.servers * 8;
    for (let copy = 0; copy < 8; copy += 1) {
      const body = Buffer.from(template.bytes);
      template.stamp(body, random, nowNs);
      bodies.push(body);
    }
  }
  const dictionary = new CallDictionary();
  const extractor = new Extractor({
    dictionary,
    config: readConfig({}),
    now: Date.now,
    countsOnce: false,
  });
  const repeats = Math.ceil(spansPerRound / spans);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    let stored = 0;
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const batch = new CallBatch(callColumns(65_536));
      for (const body of bodies) stored += extractor.extract('default', body, batch).stored;
    }
    const { user, system } = process.cpuUsage(before);
    if (stored !== servers * repeats) throw new Error(`${stored} calls of ${servers * repeats}`);
    costs.push((user + system) / (repeats * spans));
  }
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0) / spans;
  const best = Math.min(...costs.slice(1)).toFixed(3);
  const all = costs.map((cost) => cost.toFixed(3)).join(' ');
  const share = ((100 * servers) / spans).toFixed(0);
  process.stdout.write(
    `${name}: ${bytes.toFixed(0)} bytes a span, ${share} % SERVER, ${best} µs a span (rounds: ${all}), ` +
      `${extractor.size} words\n`,
  );
}
