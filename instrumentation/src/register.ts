/** `node --require @rollcall/instrumentation/register app.js`. */
import { startRollcall } from './start.ts';

startRollcall();
