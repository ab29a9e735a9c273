import type { EvidenceRow } from '../api/answers.ts';

/**
 * The step of the removal plan that an endpoint of the dead list is at: the same steps as in `GET
 * /report/dead?format=md`.
 */
export const removalSteps = ['safe', 'again', 'deprecate', 'watch'] as const;
export type RemovalStep = (typeof removalSteps)[number];

/** From this confidence on an endpoint can go at once. */
export const safeConfidence = 0.9;
/** Below this confidence nothing is to be done yet but to keep the endpoint. */
export const leastConfidence = 0.5;

export function removalStep(row: EvidenceRow): RemovalStep {
  if (row.decision_returned !== null) return 'again';
  const isSilent = row.status === 'dead' || row.status === 'never_called';
  if (isSilent && (row.confidence ?? 0) >= safeConfidence) return 'safe';
  const isAnnounced = (row.marks as readonly string[]).includes('deprecated');
  return isSilent && !isAnnounced ? 'deprecate' : 'watch';
}

/** An endpoint whose removal may be proposed: it is silent, and it is safe to remove or nearly so. */
export function isRemovable({ status, confidence }: EvidenceRow): boolean {
  if (status === 'removed') return true;
  return (status === 'dead' || status === 'never_called') && (confidence ?? 0) >= leastConfidence;
}
