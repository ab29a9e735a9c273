import { compared } from '../../../analyzer/reports/compare/comparison.ts';
import { type WorkloadOptions, workload } from '../../analyzer/reports/compare/workload.ts';

/**
 * `node test/labs/compare/main.ts [FIRST_SEED [NAME]]`: how often `/compare` names an endpoint where nothing changed, and how
 * often it finds a change, for workloads of several kinds. Every seed is a run of its own.
 */
const first = Number(process.argv[2] ?? 1);
/** Only the workloads whose name holds this text. */
const only = process.argv[3] ?? '';
const zipf = (n: number) => Math.round(60 + 1_500 / (n + 1) ** 0.6);

const stationary: [string, Partial<WorkloadOptions>][] = [
  ['independent calls, sigma 0.3', { sigma: 0.3 }],
  ['independent calls, sigma 0.5', { sigma: 0.5 }],
  ['independent calls, sigma 1', { sigma: 1 }],
  ['load wanders by 5 %', { wander: 0.05 }],
  ['load wanders by 20 %', { wander: 0.2 }],
  ['load wanders by 20 %, the day by 50 %', { wander: 0.2, cycle: 0.5 }],
  ['load wanders by 20 % and slowly', { wander: 0.2, memory: 0.7 }],
];

const changed: [string, Partial<WorkloadOptions>][] = [
  ['20 % slower, sigma 0.3', { sigma: 0.3, slowdown: 1.2 }],
  ['20 % slower, sigma 0.5', { sigma: 0.5, slowdown: 1.2 }],
  ['20 % slower, sigma 0.7', { sigma: 0.7, slowdown: 1.2 }],
  ['20 % slower, sigma 1', { sigma: 1, slowdown: 1.2 }],
  ['20 % slower, load wanders by 5 %', { slowdown: 1.2, wander: 0.05 }],
  ['20 % slower, load wanders by 20 %', { slowdown: 1.2, wander: 0.2 }],
  ['20 % slower, the day moves by 50 %', { slowdown: 1.2, cycle: 0.5 }],
  ['errors 1 % to 4 %', { errorRates: [0.01, 0.04] }],
];

const seeds = Array.from({ length: 50 }, (_, n) => first + n);
console.log(`seeds ${seeds[0]} to ${seeds.at(-1)}, 1,000 endpoints, 36 intervals a window`);
for (const [name, options] of stationary.filter(([name]) => name.includes(only))) {
  let runs = 0;
  let named = 0;
  for (const seed of seeds) {
    const made = workload(seed, { endpoints: 1_000, callsOf: zipf, sigma: 0.5, ...options });
    const found = verdictsOf(made).filter((verdict) => verdict === 'worse' || verdict === 'better');
    if (found.length > 0) runs += 1;
    named += found.length;
  }
  console.log(
    `nothing changed, ${name}: ${runs} of ${seeds.length} runs name any endpoint (${named} in all)`,
  );
}
for (const [name, options] of changed.filter(([name]) => name.includes(only))) {
  for (const calls of [1_000, 2_000]) {
    let found = 0;
    let others = 0;
    for (const seed of seeds) {
      const callsOf = (n: number) => (n === 0 ? calls : 200);
      const made = workload(seed, { endpoints: 1_000, callsOf, sigma: 0.5, ...options });
      const [own, ...rest] = verdictsOf(made);
      if (own === 'worse') found += 1;
      others += rest.filter((verdict) => verdict === 'worse' || verdict === 'better').length;
    }
    console.log(
      `${name}, ${calls} calls a window: found in ${found} of ${seeds.length}, ${others} other endpoints named`,
    );
  }
}

function verdictsOf(made: ReturnType<typeof workload>) {
  return compared([{ ...made, isPaired: true }]).map(({ verdict }) => verdict);
}
