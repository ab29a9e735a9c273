import { answerOfChild } from '../load/child-process.ts';
import type { Load, Loaded } from './loader.ts';

/** Runs one load in a process of its own. @throws Error when the loader ended without an answer */
export function runLoad(load: Load): Promise<Loaded> {
  return answerOfChild<Load, Loaded>(new URL('loader.ts', import.meta.url), load);
}
