import { parseArgs } from 'node:util';
import { version } from '../../../core/version.ts';
import type { Claims } from './claims.ts';
import { kinds } from './endpoints.ts';
import { simulate } from './simulation.ts';

/**
 * `npm run simulate:lifecycle`: verdicts on synthetic endpoints whose future is known, beside the rules of other
 * systems. docs/verdicts.md records a run.
 *   --seed 1 --endpoints 5000 --services 20 --step 3
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    endpoints: { type: 'string', default: '5000' },
    services: { type: 'string', default: '20' },
    step: { type: 'string', default: '3' },
    mistakes: { type: 'boolean', default: false },
  },
});

const startedMs = performance.now();
const result = await simulate(
  {
    seed: Number(values.seed),
    endpoints: Number(values.endpoints),
    services: Number(values.services),
    stepDays: Number(values.step),
    sureFrom: 0.9,
  },
  (day) => process.stderr.write(`\rday ${day} `),
);
process.stderr.write('\r');
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);

const rounded = (value: number | null, digits = 1): string =>
  value === null || Number.isNaN(value) ? '' : value.toFixed(digits);
const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const ruleLine = (rule: Claims): string =>
  line([
    rule.name,
    rule.claims,
    rule.falseClaims,
    rounded(rule.precisionPct, 2),
    rounded(rule.medianDelayDays, 0),
  ]);

console.log(
  `Rollcall ${version}, Node ${process.version}: ${values.endpoints} endpoints, ${values.services} services, 400 days, seed ${values.seed}, ${result.spans} spans, ${seconds} s\n`,
);
console.log(line(['rule', 'claims', 'false', 'precision %', 'median delay, days']));
console.log(line(['---', '--:', '--:', '--:', '--:']));
for (const rule of [result.rollcall, result.status, ...result.others]) console.log(ruleLine(rule));
console.log(
  `\nOf ${result.deadLong} endpoints that had their last use 90 days before the end or earlier, ${result.found} are claimed at 0.9 in the end (${rounded((100 * result.found) / result.deadLong)} %).\n`,
);
console.log(
  line(['kind', 'claims at 0.9', 'precision %', 'median delay, days', '32 days: precision %']),
);
console.log(line(['---', '--:', '--:', '--:', '--:']));
for (const kind of kinds) {
  const own = result.rollcall.ofKind(kind);
  const other = result.others[2]!.ofKind(kind);
  console.log(
    line([
      kind,
      own.claims,
      rounded(own.precisionPct, 2),
      rounded(own.medianDelayDays, 0),
      rounded(other.precisionPct, 2),
    ]),
  );
}
console.log(`\n${line(['stated confidence', 'verdicts', 'mean stated', 'truly dead'])}`);
console.log(line(['---', '--:', '--:', '--:']));
result.bins.forEach(({ verdicts, stated, dead }, i) => {
  const range = `${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}`;
  console.log(line([range, verdicts, rounded(stated / verdicts, 3), rounded(dead / verdicts, 3)]));
});
if (values.mistakes) console.log(result.mistakes);
