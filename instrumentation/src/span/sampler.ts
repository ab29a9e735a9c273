import { SpanKind } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';

/** `SamplingDecision` of the SDK, whose enum would load it. */
const drop = 0;
const recordOnly = 1;

/**
 * Records SERVER spans that `inner` drops, without the sampled flag: other processors skip them, and
 * `rollcallSpanProcessor` takes them. The trace flags that go to other services are those of `inner`.
 */
export function rollcallSampler(inner: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const result = inner.shouldSample(context, traceId, name, kind, attributes, links);
      if (result.decision !== drop || kind !== SpanKind.SERVER) return result;
      return { ...result, decision: recordOnly };
    },
    toString: () => `RollcallSampler{${inner.toString()}}`,
  };
}
