import {
  type Attributes,
  type Context,
  createTraceState,
  type Link,
  SpanKind,
  TraceFlags,
  type TraceState,
  trace,
} from '@opentelemetry/api';
import type { Sampler, SamplingResult } from '@opentelemetry/sdk-trace';

/** The SDK's decisions; its enum would load the SDK. */
const decision = { drop: 0, recordOnly: 1, sample: 2 } as const;

/**
 * Lean mode's sampler. Without OTEL_TRACES_SAMPLER every call counts, whatever the caller sampled. With it,
 * what it asks for, deciding as OpenTelemetry's consistent probability sampling does: by the last 56 bits of
 * the trace id, with the threshold in tracestate (`ot=th:…`), so that Rollcall knows how many calls a span
 * stands for.
 * @returns undefined for a sampler that is not known
 */
export function leanSampler(name: string | undefined, argument: string | undefined) {
  const ratio = ratioOf(argument);
  if (name === undefined || name === '' || name === 'always_on') return alwaysOn;
  if (name === 'always_off') return sampler(() => decision.drop);
  if (name === 'traceidratio') return ratioSampler(ratio);
  if (name === 'parentbased_always_on') return parentBased(alwaysOn);
  if (name === 'parentbased_always_off') return parentBased(sampler(() => decision.drop));
  if (name === 'parentbased_traceidratio') return parentBased(ratioSampler(ratio));
  return undefined;
}

/**
 * Has SERVER spans recorded that `inner` leaves out, without sampling them: other processors skip them, as
 * they skip what is not sampled, and `rollcallSpanProcessor` sees them. The trace flags that go to other
 * services are those `inner` decided.
 */
export function rollcallSampler(inner: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const result = inner.shouldSample(context, traceId, name, kind, attributes, links);
      if (result.decision !== decision.drop || kind !== SpanKind.SERVER) return result;
      return { ...result, decision: decision.recordOnly };
    },
    toString: () => `RollcallSampler{${inner.toString()}}`,
  };
}

/** A tracestate whose span stands for itself alone: what a caller's sampling said is not said of this one. */
export function withThreshold(state: TraceState | undefined, threshold: string): TraceState {
  const kept = (state?.get('ot') ?? '')
    .split(';')
    .filter((part) => part !== '' && !/^(th|p|r):/.test(part));
  return (state ?? createTraceState()).set('ot', [`th:${threshold}`, ...kept].join(';'));
}

const alwaysOn: Sampler = {
  shouldSample: (context) => {
    const state = trace.getSpanContext(context)?.traceState;
    if (state?.get('ot') === undefined) return { decision: decision.sample };
    return { decision: decision.sample, traceState: withThreshold(state, '0') };
  },
  toString: () => 'RollcallAlwaysOn',
};

function ratioSampler(ratio: number): Sampler {
  if (ratio >= 1) return alwaysOn;
  // 2^56 does not fit a number's 53 bits: the threshold is one of its upper 48 bits.
  const upper = Math.round((1 - ratio) * 2 ** 48);
  const threshold = upper.toString(16).padStart(12, '0').replace(/0+$/, '') || '0';
  return sampler((context, traceId) => {
    if (ratio <= 0 || upper >= 2 ** 48) return decision.drop;
    const state = trace.getSpanContext(context)?.traceState;
    const random = /(?:^|;)rv:([0-9a-f]{14})(?:;|$)/.exec(state?.get('ot') ?? '')?.[1];
    return Number.parseInt((random ?? traceId.slice(18)).slice(0, 12), 16) >= upper
      ? withThreshold(state, threshold)
      : decision.drop;
  });
}

/** As the caller decided, whose threshold stays; without a caller as `root` does. */
function parentBased(root: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parent = trace.getSpanContext(context);
      if (parent === undefined) {
        return root.shouldSample(context, traceId, name, kind, attributes, links);
      }
      const isSampled = (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
      return { decision: isSampled ? decision.sample : decision.drop };
    },
    toString: () => `ParentBased{${root.toString()}}`,
  };
}

function sampler(decide: (context: Context, traceId: string) => 0 | 1 | 2 | TraceState): Sampler {
  return {
    shouldSample(
      context: Context,
      traceId: string,
      _name: string,
      _kind: SpanKind,
      _attributes: Attributes,
      _links: Link[],
    ): SamplingResult {
      const decided = decide(context, traceId);
      if (typeof decided === 'number') return { decision: decided };
      return { decision: decision.sample, traceState: decided };
    },
    toString: () => 'RollcallSampler',
  };
}

function ratioOf(argument: string | undefined): number {
  const ratio = argument === undefined || argument === '' ? 1 : Number(argument);
  return Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 1;
}
