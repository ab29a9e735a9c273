import type { Equivalent } from './report.ts';

/** Faults that no test can notice, each with the reason. */
export const equivalents: readonly Equivalent[] = [];
