/**
 * Shares one piece of work among all who ask within `ms` of its start: an answer that anyone may ask for must not
 * cost a commit each time. A failure is shared by those who wait for it, and then forgotten.
 * @param now milliseconds, monotonic
 */
export function atMostEvery<T>(
  ms: number,
  work: () => Promise<T>,
  now: () => number = () => performance.now(),
): () => Promise<T> {
  let shared: Promise<T> | undefined;
  let startedMs = 0;
  return () => {
    const nowMs = now();
    if (shared === undefined || nowMs - startedMs >= ms) {
      startedMs = nowMs;
      const begun = work();
      shared = begun;
      begun.catch(() => {
        if (shared === begun) shared = undefined;
      });
    }
    return shared;
  };
}

/**
 * Does the work afresh for each who asks, up to `mostPerS` times a second; beyond, they share what was last made. People
 * and scrapers get the newest; a flood costs no more than its first askers.
 * @param now milliseconds, monotonic
 */
export function freshUpTo<T>(
  mostPerS: number,
  work: () => Promise<T>,
  now: () => number = () => performance.now(),
): () => Promise<T> {
  let last: Promise<T> | undefined;
  let secondMs = Number.NEGATIVE_INFINITY;
  let made = 0;
  return () => {
    const nowMs = now();
    if (nowMs - secondMs >= 1000) {
      secondMs = nowMs;
      made = 0;
    }
    if (last === undefined || made < mostPerS) {
      made += 1;
      const begun = work();
      last = begun;
      begun.catch(() => {
        if (last === begun) last = undefined;
      });
    }
    return last;
  };
}
