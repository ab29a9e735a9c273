import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { type NodeMajor, nodeBinary } from '../workshop.ts';
import { installApp } from './app-folder.ts';
import { stacks } from './cases.ts';
import { matrix } from './matrix.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type Outcome, tryStack } from './trial.ts';

/**
 * Every framework's app under the package's lean mode, called case by case; route and status as Rollcall's report has
 * them, and the inventory as it was exported. `FRAMEWORKS_NODE=20 npm run test:instrumentation frameworks` runs the
 * apps under that Node.
 */
const major = Number(process.env.FRAMEWORKS_NODE ?? '24') as NodeMajor;
const register = fileURLToPath(
  new URL('../../../instrumentation/dist/register.mjs', import.meta.url),
);

describe(`routes and inventory under Node ${major}`, () => {
  const place = temporaryFolder();
  const outcomes = new Map<string, Outcome>();
  let rollcall: Running;
  let receiver: Receiver;
  let node: string;

  beforeAll(async () => {
    node = await nodeBinary(major);
    rollcall = await startRollcall(`${place.path}/rollcall.db`);
    receiver = await startReceiver(rollcall.addresses.otlp_http!);
  });
  afterAll(async () => {
    await receiver?.close();
    await rollcall?.stop();
    place.remove();
    process.stdout.write(`\n${matrix(outcomes).join('\n')}\n`);
  });

  for (const stack of stacks) {
    const isTooOld = stack.nodeMajorLeast !== undefined && major < stack.nodeMajorLeast;
    test.skipIf(isTooOld)(stack.name, async () => {
      const folder = await installApp(stack, (line) => process.stderr.write(`${line}\n`));
      const analyzer = rollcall.addresses.analyzer!;
      const outcome = await tryStack(stack, { folder, register, node, receiver, analyzer });
      outcomes.set(stack.name, outcome);
      expect(outcome.differences).toEqual([]);
    });
  }
});
