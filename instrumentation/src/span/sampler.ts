import { SpanKind } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';

/** `SamplingDecision` of the SDK, whose enum would load it. */
const drop = 0;
const recordOnly = 1;

/**
 * Has SERVER spans recorded that `inner` leaves out, without sampling them: other processors skip them, as
 * they skip what is not sampled, and `rollcallSpanProcessor` sees them. The trace flags that go to other
 * services are those `inner` decided.
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
