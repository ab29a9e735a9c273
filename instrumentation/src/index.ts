export type { RawRequest } from './frameworks/framework.ts';
export type { RollcallOptions } from './settings.ts';
export { rollcallSampler } from './span/sampler.ts';
export { rollcallSpanProcessor, type SpanProcessorOptions } from './span/span-processor.ts';
export { flushRollcall, startRollcall } from './start.ts';
