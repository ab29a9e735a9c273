import type { Removal } from './finding.ts';
import {
  callersText,
  confidenceOf,
  hasMark,
  isSilent,
  type Operation,
  silenceText,
  sumOf,
  usageText,
} from './operation.ts';

/** A removed operation with its judgement. */
export interface JudgedRemoval extends Removal {
  operation: Operation;
  /** Why the removal comes too early; undefined when it does not. */
  early: string | undefined;
}

/** @param base of the old specification @param next of the new one */
export function removalsOf(
  base: ReadonlyMap<string, Operation>,
  next: ReadonlyMap<string, Operation>,
  { minConfidence, window, nowMs }: { minConfidence: number; window: string; nowMs: number },
): JudgedRemoval[] {
  const removals: JudgedRemoval[] = [];
  for (const operation of base.values()) {
    if (!operation.isDeclared || next.get(operation.key)?.isDeclared) continue;
    const { method, route } = operation;
    const judged = judge(operation, minConfidence, window);
    const early = judged.verdict === 'safe' ? undefined : earlyReason(operation, nowMs);
    removals.push({ method, route, ...judged, operation, early });
  }
  return removals;
}

/** Alive means answered, or heard lately: such a removal breaks callers. */
function judge(
  operation: Operation,
  minConfidence: number,
  window: string,
): Pick<Removal, 'verdict' | 'message'> {
  const isUsed = operation.rows.some(({ status }) => status === 'active' || status === 'cold');
  if (isUsed || sumOf(operation, 'answered_count') > 0) {
    const calls = sumOf(operation, 'total_calls');
    const use =
      calls > 0
        ? `breaks ${usageText(operation)} in the last ${window}`
        : `breaks its callers: ${silenceText(operation)}, no call in the last ${window}`;
    return { verdict: 'breaks', message: `${use}${callersText(operation)}` };
  }
  if (!isSilent(operation)) {
    const statuses = [...new Set(operation.rows.map(({ status }) => status))].join(', ');
    return { verdict: 'unproven', message: `unproven: ${statuses}, ${silenceText(operation)}` };
  }
  const confidence = confidenceOf(operation);
  const word = operation.rows.every(({ status }) => status === 'never_called')
    ? 'never called'
    : 'dead';
  const detail = `${silenceText(operation)}${callersText(operation)}`;
  const isSafe = (confidence ?? 0) >= minConfidence;
  const sure = confidence?.toFixed(2) ?? 'confidence unknown';
  return {
    verdict: isSafe ? 'safe' : 'unproven',
    message: `${isSafe ? 'safe' : 'unproven'}: ${word}, ${sure}; ${detail}`,
  };
}

function earlyReason(operation: Operation, nowMs: number): string | undefined {
  if (!hasMark(operation, 'deprecated')) return 'it was never deprecated';
  for (const { sunset_at } of operation.rows) {
    if (sunset_at !== null && Date.parse(sunset_at) > nowMs) {
      return `its sunset is ${sunset_at.slice(0, 10)}`;
    }
  }
  return undefined;
}
