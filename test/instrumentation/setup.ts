import { buildLinked, buildPackage, isPacked } from './workshop.ts';

/** Once before all tests: the package is built, and packed where it is to be installed. */
export async function setup(): Promise<() => void> {
  const end = await buildLinked();
  if (isPacked) await buildPackage((line) => process.stderr.write(`${line}\n`));
  return end;
}
