import { type Case, missing } from './case.ts';
import { Difference, inTime } from './check.ts';
import type { RequirementId } from './requirements.ts';
import type { Setup, Target } from './target.ts';

/** What one case, or all cases of an id together, came to. */
export type Verdict =
  | { is: 'pass' }
  | { is: 'differs'; how: string }
  | { is: 'skipped'; why: string };

/** @param setups the server can be had in */
export async function judge(
  each: Case,
  target: (setup: Setup) => Promise<Target>,
  setups: readonly Setup[],
): Promise<Verdict> {
  const opened = await target(setups.includes(each.setup) ? each.setup : 'plain');
  const why = missing(each, opened, setups);
  if (why !== undefined) return { is: 'skipped', why };
  try {
    await inTime(each.run(opened), 'the end of the case', caseMsMost);
    return { is: 'pass' };
  } catch (error) {
    // Anything else than a Difference is the connection's: refused, reset.
    const text = error instanceof Error ? error.message : String(error);
    const how = error instanceof Difference ? text : `the exchange failed: ${text}`;
    return { is: 'differs', how: `${each.name}: ${how}` };
  }
}

/** Bodies of 64 MiB, packed and sent several times, on a busy machine. */
const caseMsMost = 180_000;

/** An id differs when one case does, and is skipped when all are. */
export function together(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return { is: 'differs', how: 'no case of the list proves it' };
  const differing = verdicts.filter((verdict) => verdict.is === 'differs');
  if (differing.length > 0) {
    const others = differing.length > 1 ? ` (and ${differing.length - 1} more)` : '';
    return { is: 'differs', how: `${differing[0]!.how}${others}` };
  }
  const skipped = verdicts.find((verdict) => verdict.is === 'skipped');
  return skipped !== undefined && verdicts.every((verdict) => verdict.is === 'skipped')
    ? skipped
    : { is: 'pass' };
}

/** `E7 differs: expected 413, got 400`. */
export function line(id: RequirementId, verdict: Verdict, verdicts: readonly Verdict[]): string {
  if (verdict.is === 'differs') return `${id} differs: ${verdict.how}`;
  if (verdict.is === 'skipped') return `${id} skipped: ${verdict.why}`;
  const skipped = verdicts.filter((each) => each.is === 'skipped').length;
  const cases = verdicts.length - skipped;
  const left = skipped === 0 ? '' : `, ${skipped} skipped`;
  return `${id} pass (${cases} ${cases === 1 ? 'case' : 'cases'}${left})`;
}
