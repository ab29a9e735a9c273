/** What became of calls, by their HTTP status: four outcomes that add up to all calls. */
export const outcomes = ['answered', 'refused', 'missing', 'failed'] as const;

/**
 * - `answered`: 100 to 399.
 * - `refused`: 401, 403, 429.
 * - `missing`: 404, 405, 410.
 * - `failed`: every other status, and a call without one.
 */
export type Outcome = (typeof outcomes)[number];

/** Calls by outcome. */
export type OutcomeCounts = Record<Outcome, number>;

/** @param status 0 when the call had none */
export function outcomeOf(status: number): Outcome {
  switch (status) {
    case 401:
    case 403:
    case 429:
      return 'refused';
    case 404:
    case 405:
    case 410:
      return 'missing';
    default:
      return status >= 100 && status < 400 ? 'answered' : 'failed';
  }
}

/** By status, 0 to 999: the index of its outcome in `outcomes`. For hot loops. */
export const outcomeIndexes = Uint8Array.from({ length: 1000 }, (_, status) =>
  outcomes.indexOf(outcomeOf(status)),
);

/** The index of `answered` in `outcomes`. */
export const answeredIndex = outcomes.indexOf('answered');

/** @param counts in the order of `outcomes` */
export function outcomeCounts(counts: readonly number[]): OutcomeCounts {
  const [answered = 0, refused = 0, missing = 0, failed = 0] = counts;
  return { answered, refused, missing, failed };
}
