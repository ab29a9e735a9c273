export type { RawRequest } from './framework.ts';
export { rollcallSampler } from './sampler.ts';
export type { RollcallOptions } from './settings.ts';
export { rollcallSpanProcessor, type SpanProcessorOptions } from './span-processor.ts';
export { flushRollcall, startRollcall } from './start.ts';
