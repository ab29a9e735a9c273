import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchFolder } from './folder.ts';
import { quantile } from './quantile.ts';
import { days, endpoints, historyFile, measureReports } from './report.ts';

/**
 * `node test/labs/bench/scale.ts --sizes 1000000,100000000 [--folder KEPT]`: whether a report costs more on a store of
 * more calls. Each store has the same endpoints and days, its history goes through the store's interface; the stores
 * are asked in turn, over HTTP. Prints the file's size, the first answer, time and CPU time of answers, and the ratios to
 * the smallest store. A folder
 * that is named is kept, and its stores are used again: 100 M calls take minutes to write.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000000,100000000' },
    requests: { type: 'string', default: '100' },
    folder: { type: 'string' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const folder = values.folder === undefined ? benchFolder() : { path: values.folder };
try {
  const costs = await measureReports({
    sizes,
    requests: Number(values.requests),
    folder: folder.path,
  });
  process.stdout.write(`report of ${endpoints} endpoints, ${days} days, Node ${process.version}\n`);
  const [first] = costs;
  for (const { calls, coldMs, ...cost } of costs) {
    const mib = statSync(historyFile(folder.path, calls)).size / 2 ** 20;
    const ratios = [50, 95].map((percent) => {
      const told = (name: 'sameMs' | 'variedMs' | 'sameCpuMs' | 'variedCpuMs'): string => {
        const ms = quantile(cost[name], percent);
        return `${ms.toFixed(1)} ms (${(ms / quantile(first![name], percent)).toFixed(2)})`;
      };
      return `p${percent} ${told('sameMs')}, CPU ${told('sameCpuMs')}, other edges each time ${told('variedMs')}, CPU ${told('variedCpuMs')}`;
    });
    process.stdout.write(
      `${calls} calls: ${mib.toFixed(0)} MiB, first answer ${coldMs.toFixed(0)} ms; ${ratios.join('; ')}\n`,
    );
  }
} finally {
  if ('remove' in folder) folder.remove();
}
