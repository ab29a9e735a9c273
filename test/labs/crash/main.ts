import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { runCrash } from './crash.ts';

/** `npm run test:crash -- [--kills 50] [--seed 1]`: exit code 0 when nothing was lost or doubled. */
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const folder = temporaryFolder();
try {
  const { kills, acknowledged, resent, lost, doubled } = await runCrash({
    kills: Number(values.kills),
    seed,
    storePath: `${folder.path}/rollcall.db`,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(
    `${kills} kills, ${acknowledged} acknowledged, ${resent} resent, ${lost} lost, ${doubled} doubled (seed ${seed})\n`,
  );
  process.exitCode = lost === 0 && doubled === 0 && acknowledged > 0 ? 0 : 1;
} finally {
  // A failure leaves its store behind, to be looked into.
  if (process.exitCode === 0) folder.remove();
  else process.stderr.write(`the store is left in ${folder.path}\n`);
}
