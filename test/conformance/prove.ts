import { afterAll, expect, test } from 'vitest';
import { type Case, missing } from './case.ts';
import { OwnTargets } from './own-targets.ts';

/** Makes a vitest test of every case, against real processes of our own; none may be skipped. */
export function prove(cases: readonly Case[]): void {
  const targets = new OwnTargets();
  afterAll(() => targets.close());
  for (const each of cases) {
    test(`${each.id} ${each.name}`, async () => {
      const target = await targets.target(each.setup);
      expect(missing(each, target, [each.setup])).toBeUndefined();
      await each.run(target);
    });
  }
}
