/**
 * What Rollcall asks of a store about verdicts that were given: one snapshot a day of each endpoint's verdict, and
 * evidence that somebody may have pasted somewhere. Any process may write here, beside a collector that writes
 * calls. Every method throws AppError `unavailable` when the store cannot be read or written now.
 */
export interface VerdictStore {
  /** Days since the epoch of the project's newest snapshot; undefined before the first. */
  newestDay(project: string): Promise<number | undefined>;
  /** Takes the snapshot of a day. An endpoint with an unchanged verdict gets no row. The same day
   *  again and the day before the newest change nothing. Days after the next one are of a wrong clock: they go. */
  record(project: string, day: number, verdicts: readonly DailyVerdict[]): Promise<void>;
  /** Endpoints by status on each day with a snapshot, ascending, at most `limits.verdictDays`. */
  totals(project: string): Promise<DailyTotals[]>;
  /** Changes of an endpoint's verdict, ascending, at most `limits.verdictChanges`, the latest ones. */
  history(project: string, endpoint: string): Promise<VerdictChange[]>;
  /** Keeps a text, at most `limits.evidences` of a project: the oldest is forgotten. */
  keepEvidence(project: string, evidence: KeptEvidence): Promise<void>;
  /** Undefined when none was kept of that moment. */
  evidence(project: string, endpoint: string, asOfMs: number): Promise<KeptEvidence | undefined>;
  close(): Promise<void>;
}

export interface DailyVerdict {
  /** The endpoint's id. */
  endpoint: string;
  status: string;
  /** 0 to 1; null where the status has none. */
  confidence: number | null;
}

export interface VerdictChange {
  /** Days since the epoch, UTC. */
  day: number;
  /** null: from this day on the endpoint is in no list any more. */
  status: string | null;
  confidence: number | null;
}

export interface DailyTotals {
  day: number;
  /** Endpoints by status. */
  counts: Record<string, number>;
}

export interface KeptEvidence {
  endpoint: string;
  asOfMs: number;
  /** JSON, as it was answered. */
  body: string;
}

/** A confidence that moved by less than this is as before: it creeps a little every day. */
export const confidenceStep = 0.05;

/** Whether a verdict differs from the one that was stored last. */
export function isChanged(before: VerdictChange | undefined, now: DailyVerdict): boolean {
  if (before === undefined || before.status !== now.status) return true;
  if (before.confidence === null || now.confidence === null) {
    return before.confidence !== now.confidence;
  }
  return Math.abs(before.confidence - now.confidence) >= confidenceStep;
}
