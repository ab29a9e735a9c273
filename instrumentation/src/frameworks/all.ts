import type { Framework } from '../framework.ts';

/** Every framework that tells its routes. Plain node:http has none to tell. */
export const frameworks: readonly Framework[] = [];
