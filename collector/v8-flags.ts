import { setFlagsFromString } from 'node:v8';

/** Settings of V8 for the collector's threads. Call it before any of them runs. */
export function setV8Flags(): void {
  // V8 inlines calls into a function up to 920 bytes of bytecode in all. Reading a span's fields needs more:
  // with twice the room, decoding and extraction cost 7 to 9 % less CPU (test/labs/bench/decode.ts).
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=1840');
  // What a thread keeps may triple before a major GC. The store's writer keeps 9 MB of heap and 25 MB of typed arrays:
  // V8's own step is so small then that it ran a major GC, on all its threads, for each block of calls.
  setFlagsFromString('--heap-growing-percent=200');
}
