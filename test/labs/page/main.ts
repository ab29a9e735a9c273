import { parseArgs } from 'node:util';
import { chromiumPath } from '../../web/browser.ts';
import { watchMemory } from './memory.ts';

/**
 * `npm run test:page -- [--minutes 60] [--snapshots FOLDER]`: the memory of open pages while figures change.
 * Each page's live objects are printed every minute, after a forced garbage collection. Exit code 0 when the mean
 * of the last six minutes lies within 10 % of that of minutes 7 to 12. The first six are left out: V8 compiles the
 * page's code and caches fill then.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, snapshots: { type: 'string' } },
});
const minutes = Number(values.minutes);
const minutesLeast = 20;
const warmMinutes = 6;
const minutesMost = 24 * 60;
const changeMostPct = 10;

if (!Number.isSafeInteger(minutes) || minutes < minutesLeast || minutes > minutesMost) {
  throw new Error(
    `--minutes ${values.minutes} must be a whole number from ${minutesLeast} to ${minutesMost}`,
  );
}
if (chromiumPath === undefined) {
  throw new Error('there is no browser: apt-get update && apt-get install -y chromium');
}
const pages = await watchMemory({
  minutes,
  snapshots: values.snapshots,
  say: (line) => process.stdout.write(`${line}\n`),
});
const mean = (mib: readonly number[]) => mib.reduce((sum, one) => sum + one, 0) / mib.length;
for (const { path, mib, problems } of pages) {
  const early = mean(mib.slice(warmMinutes, 2 * warmMinutes));
  const late = mean(mib.slice(-warmMinutes));
  const changePct = (100 * (late - early)) / early;
  const isFlat = Math.abs(changePct) <= changeMostPct;
  process.stdout.write(
    `${isFlat && problems.length === 0 ? 'PASS' : 'FAIL'} ${path}: ${early.toFixed(2)} MiB early, ${late.toFixed(2)} MiB late, ${changePct.toFixed(1)} %; ${problems.length} problems ${problems.slice(0, 3).join('; ')}\n`,
  );
  if (!isFlat || problems.length > 0) process.exitCode = 1;
}
