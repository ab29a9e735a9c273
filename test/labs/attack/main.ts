import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { type Attacked, runAttacks } from './attack.ts';

/**
 * `npm run test:attack -- [--seconds 10] [--only TEXT] [--together]`: each attack for so many seconds on loopback, beside a healthy
 * sender of 20 requests a second, then all at once. Exit code 1 when a bound of docs/security.md was passed.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    together: { type: 'boolean', default: false },
  },
});
/** What other work on the machine takes adds to times. RSS: as docker-compose.yml and docs/deploy/kubernetes.yaml. */
const bounds = { p99Ms: 250, refusedPercent: 1, stallMs: 250, rssMiB: 768 };

const folder = temporaryFolder();
try {
  process.stdout.write(
    'p99 ms before during after  refused  stall ms C, A  RSS MiB C, A  attack: what it sent\n',
  );
  const { attacked, lost, doubled, acknowledged } = await runAttacks({
    folder: folder.path,
    seconds: Number(values.seconds),
    only: values.only,
    together: values.together,
    report: (found) => process.stdout.write(`${lineOf(found)}\n`),
  });
  process.stdout.write(`acknowledged calls: ${acknowledged}, ${lost} lost, ${doubled} doubled\n`);
  const beyond = attacked.flatMap((found) => breaches(found));
  for (const breach of beyond) process.stdout.write(`beyond a bound: ${breach}\n`);
  process.exitCode = lost + doubled + beyond.length === 0 ? 0 : 1;
} finally {
  folder.remove();
}

function lineOf(found: Attacked): string {
  const { name, told, p99Ms, refusedPercent, collector, analyzer } = found;
  const columns: [string, number][] = [
    [p99Ms.before.toFixed(0), 13],
    [p99Ms.during.toFixed(0), 7],
    [p99Ms.after.toFixed(0), 6],
    [`${refusedPercent.toFixed(1)} %`, 9],
    [`${collector.stallMs.toFixed(0)}, ${analyzer.stallMs.toFixed(0)}`, 15],
    [`${collector.rssMiB.toFixed(0)}, ${analyzer.rssMiB.toFixed(0)}`, 14],
  ];
  return `${columns.map(([text, width]) => text.padStart(width)).join('')}  ${name}: ${told}`;
}

function breaches({
  name,
  refuses,
  p99Ms,
  refusedPercent,
  collector,
  analyzer,
}: Attacked): string[] {
  const found: string[] = [];
  const check = (what: string, value: number, bound: number): void => {
    if (value > bound) found.push(`${name}: ${what} ${value.toFixed(0)}, the bound is ${bound}`);
  };
  if (!refuses) {
    check('p99 in ms of the healthy sender', p99Ms.during, bounds.p99Ms);
    check('percent of its requests refused', refusedPercent, bounds.refusedPercent);
  }
  check('stall of the collector in ms', collector.stallMs, bounds.stallMs);
  check('stall of the analyzer in ms', analyzer.stallMs, bounds.stallMs);
  check('RSS of the collector in MiB', collector.rssMiB, bounds.rssMiB);
  check('RSS of the analyzer in MiB', analyzer.rssMiB, bounds.rssMiB);
  return found;
}
