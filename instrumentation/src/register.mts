/** `node --import @rollcall/instrumentation/register app.js`: waits for what has to be loaded before the app. */
import { rollcallReady, startRollcall } from './start.ts';

startRollcall();
await rollcallReady();
