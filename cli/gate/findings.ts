import { createHash } from 'node:crypto';
import type { Finding, Kind } from './finding.ts';
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
import type { JudgedRemoval } from './removals.ts';

/** A finding before it is known whether it fails the check. */
export type Found = Omit<Finding, 'line' | 'fails' | 'isKnown'>;

/** Calls of scanners and of callers that get nothing but errors make no endpoint that needs documents. */
const unusable = ['only_errors', 'only_refused', 'only_bots'];

export function findingsOf(
  service: string,
  next: ReadonlyMap<string, Operation>,
  removals: readonly JudgedRemoval[],
  { minConfidence, window }: { minConfidence: number; window: string },
): { findings: Found[]; notes: string[] } {
  const findings: Found[] = [];
  let unjudged = 0;
  const add = (kind: Kind, operation: Operation, message: string) => {
    const { method, route, key } = operation;
    findings.push({ kind, method, route, message, fingerprint: fingerprintOf(kind, service, key) });
  };
  const removed = new Set(removals.map(({ operation }) => operation.key));
  for (const { operation, verdict, message, early } of removals) {
    if (verdict === 'breaks') add('breaking', operation, `its removal ${message}`);
    if (early !== undefined) add('removal-before-deprecation', operation, `${early}; ${message}`);
  }
  for (const operation of next.values()) {
    if (!operation.isDeclared) {
      if (isUsed(operation) && !removed.has(operation.key)) {
        const calls = `${usageText(operation)} in the last ${window}, ${silenceText(operation)}`;
        add('undocumented', operation, `it is not declared and in use: ${calls}`);
      }
      continue;
    }
    if (hasMark(operation, 'deprecated') && sumOf(operation, 'total_calls') > 0) {
      const calls = `${usageText(operation)} in the last ${window}${callersText(operation)}`;
      add(
        'deprecated-used',
        operation,
        `it is deprecated${sunsetText(operation)}, and called: ${calls}`,
      );
    }
    // An operation that this very document adds had no time to be called.
    if (!isSilent(operation) || hasMark(operation, 'new')) continue;
    const confidence = confidenceOf(operation);
    if ((confidence ?? 0) >= minConfidence) {
      const silence = `${silenceText(operation)}${callersText(operation)}`;
      add('dead', operation, `${silence}; confidence ${confidence?.toFixed(2) ?? 'unknown'}`);
    } else if (confidence === undefined) unjudged += 1;
  }
  const notes =
    unjudged === 0
      ? []
      : [
          `${unjudged} silent operations are not judged: the analyzer states no confidence for them`,
        ];
  return { findings, notes };
}

const isUsed = ({ rows }: Operation): boolean =>
  rows.some(
    ({ status, marks }) =>
      status !== 'removed' && status !== 'dead' && !marks.some((mark) => unusable.includes(mark)),
  );

function sunsetText({ rows }: Operation): string {
  const sunset = rows.find(({ sunset_at }) => sunset_at !== null)?.sunset_at;
  return sunset ? ` with its sunset on ${sunset.slice(0, 10)}` : '';
}

function fingerprintOf(kind: Kind, service: string, key: string): string {
  const text = `${kind}\0${service}\0${key}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
