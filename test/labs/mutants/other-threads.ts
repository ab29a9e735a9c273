import { beforeAll, inject } from 'vitest';

/** Tells threads and processes that a test starts which fault is switched on: Stryker tells only this thread. */
beforeAll(() => {
  const active = inject('activeMutant' as never) as string | undefined;
  if (active === undefined) delete process.env.__STRYKER_ACTIVE_MUTANT__;
  else process.env.__STRYKER_ACTIVE_MUTANT__ = active;
});
