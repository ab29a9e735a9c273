import { buildPackage } from './workshop.ts';

/** Once before all: the package is built and packed. */
export async function setup(): Promise<void> {
  await buildPackage((line) => process.stderr.write(`${line}\n`));
}
