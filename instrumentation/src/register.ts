/** `node --import @rollcall/instrumentation/register app.js`, or `--require` for CommonJS. */
import { startRollcall } from './start.ts';

startRollcall();
