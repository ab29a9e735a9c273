import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { type Packing, runAmplification } from './amplification.ts';

/**
 * `npm run test:amplification -- [--mib 1.9,64] [--packings identity,gzip,zstd,br] [--only TEXT]`: the
 * constructions that cost a collector most for the bytes sent. Exit code 1 when one passes a bound.
 */
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1.9,63.9' },
    packings: { type: 'string', default: 'gzip' },
    only: { type: 'string', default: '' },
  },
});
/** CPU of one request, and what a healthy sender beside it sees. A machine with other work needs more. */
const bounds = { cpuS: 1, slowestMs: 250, refused: 0 };

const folder = temporaryFolder();
try {
  process.stdout.write(
    'CPU s  slowest ms  refused  RSS MiB  status  wire bytes      bytes  body\n',
  );
  const results = await runAmplification({
    storePath: `${folder.path}/rollcall.db`,
    sizes: values.mib.split(',').map((mib) => Math.floor(Number(mib) * 2 ** 20)),
    packings: values.packings.split(',') as Packing[],
    only: values.only,
    report: (found) => {
      const { cpuS, slowestMs, refused, rssMiB, status, wireBytes, bytes, name, packing } = found;
      const columns: [unknown, number][] = [
        [cpuS.toFixed(2), 5],
        [slowestMs.toFixed(0), 12],
        [refused, 9],
        [rssMiB.toFixed(0), 9],
        [status ?? 'none', 8],
        [wireBytes, 12],
        [bytes, 11],
      ];
      const line = columns.map(([value, width]) => String(value).padStart(width)).join('');
      process.stdout.write(`${line}  ${name} (${packing})\n`);
    },
  });
  const beyond = results.filter(
    (found) =>
      found.cpuS > bounds.cpuS ||
      found.slowestMs > bounds.slowestMs ||
      found.refused > bounds.refused,
  );
  process.stdout.write(`${results.length} bodies, ${beyond.length} beyond a bound\n`);
  process.exitCode = beyond.length === 0 ? 0 : 1;
} finally {
  folder.remove();
}
