// Preloaded into a service (NODE_OPTIONS=--import): appends the longest stall of its event loop in every quarter of
// a second to the file `ATTACK_STALLS/PID`, as `time of day in ms, stall in ms`.
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const resolutionMs = 10;
const folder = process.env.ATTACK_STALLS;

if (isMainThread && folder !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  setInterval(() => {
    const stallMs = Math.max(0, delays.max / 1e6 - resolutionMs);
    delays.reset();
    appendFileSync(
      `${folder}/${process.pid}`,
      `${performance.timeOrigin + performance.now()},${stallMs}\n`,
    );
  }, 250).unref();
}
