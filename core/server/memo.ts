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
