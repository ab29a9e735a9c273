// Preloaded into a process (NODE_OPTIONS=--import): its clock goes ahead by as many milliseconds as the
// file named by SHIFTED_CLOCK says, looked at again and again, so that a test can turn the day.
import { readFileSync } from 'node:fs';

const realNow = Date.now;
const path = process.env.SHIFTED_CLOCK;
let readMs = 0;
let aheadMs = 0;

Date.now = () => {
  const nowMs = realNow();
  if (nowMs - readMs > 20) {
    readMs = nowMs;
    aheadMs = Number(readFileSync(path, 'utf8'));
  }
  return nowMs + aheadMs;
};
