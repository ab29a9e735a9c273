import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { runOverload } from './overload.ts';

/** `npm run test:overload -- [--seconds 60]`: exit code 0 when memory was flat and every count exact. */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
/** The last third may lie this far above the middle one: the garbage collector's own noise. */
const growthMost = 1.15;

const folder = temporaryFolder();
try {
  const result = await runOverload({
    seconds: Number(values.seconds),
    seed: 3,
    storePath: `${folder.path}/rollcall.db`,
  });
  const { capacity, offered, rssMiB, rssMostMiB, refused, unanswered, wrong, lost, doubled } =
    result;
  const [first, middle, last] = rssMiB.map((mib) => mib.toFixed(0));
  process.stdout.write(
    [
      `can take ${capacity} spans/s, was offered ${offered} spans/s: ${(offered / capacity).toFixed(1)} times`,
      `acknowledged ${result.acknowledgedInFlood} spans/s, ${result.acknowledgedBodies} bodies in all`,
      `refused ${refused} times, unanswered ${unanswered}, wrong answers ${wrong.length} ${wrong.join('; ')}`,
      `RSS by thirds ${first}, ${middle}, ${last} MiB, at most ${rssMostMiB.toFixed(0)} MiB`,
      `${lost} lost, ${doubled} doubled`,
      '',
    ].join('\n'),
  );
  const flat = rssMiB[2] <= rssMiB[1] * growthMost;
  process.exitCode =
    flat && lost === 0 && doubled === 0 && wrong.length === 0 && refused > 0 ? 0 : 1;
} finally {
  // A failure leaves its store behind, to be looked into.
  if (process.exitCode === 0) folder.remove();
  else process.stderr.write(`the store is left in ${folder.path}\n`);
}
