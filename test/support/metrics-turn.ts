import { setTimeout as pause } from 'node:timers/promises';

/** Longer than a fifth of a second: a service makes five texts of /metrics in one. */
const apartMs = 220;
const nextMs = new Map<string, number>();

/**
 * Waits until /metrics may be asked again: a service makes five texts a second, and who asks sooner gets an older one.
 * @param place the service
 */
export async function metricsTurn(place: string): Promise<void> {
  const nowMs = performance.now();
  const atMs = Math.max(nowMs, nextMs.get(place) ?? 0);
  nextMs.set(place, atMs + apartMs);
  if (atMs > nowMs) await pause(atMs - nowMs);
}
