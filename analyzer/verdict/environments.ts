import type { Status } from '../query/status.ts';

/** One verdict of an endpoint in several environments: it is as alive as where it is most alive. */
export interface JointVerdict {
  status: Status;
  /** The least of those that have this status or one less alive; null where the status has none. */
  confidence: number | null;
}

/** Most alive first. */
const byLife: readonly Status[] = ['active', 'unknown', 'cold', 'dead', 'never_called', 'removed'];
const judged: ReadonlySet<Status> = new Set(['cold', 'dead', 'never_called']);

/** @param verdicts one an environment, at least one */
export function jointVerdict(verdicts: readonly JointVerdict[]): JointVerdict {
  const status = byLife.find((one) => verdicts.some((verdict) => verdict.status === one))!;
  if (!judged.has(status)) return { status, confidence: null };
  const known = verdicts.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  return { status, confidence: Math.min(...known) };
}
