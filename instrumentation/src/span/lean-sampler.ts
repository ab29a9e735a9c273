import type { RemoteParent } from '../request/trace-context.ts';

/** undefined: no span. Otherwise a span with this tracestate. */
export type Sampled = { readonly traceState: string | undefined } | undefined;

/** @param random upper 48 of the last 56 bits of the trace id, which are random by W3C Trace Context level 2 */
export type LeanSampler = (parent: RemoteParent | undefined, random: number) => Sampled;

/**
 * Lean mode's sampler. Without OTEL_TRACES_SAMPLER every request gets a span, whatever the caller sampled. Ratios
 * follow OpenTelemetry's consistent probability sampling: the threshold is written to tracestate (`ot=th:…`), from
 * which Rollcall computes the span's weight.
 * @returns undefined for an unknown name
 */
export function leanSampler(
  name: string | undefined,
  argument: string | undefined,
): LeanSampler | undefined {
  const samplers: Record<string, () => LeanSampler> = {
    always_on: () => always,
    always_off: () => never,
    traceidratio: () => ratioSampler(ratioOf(argument)),
    parentbased_always_on: () => parentBased(always),
    parentbased_always_off: () => parentBased(never),
    parentbased_traceidratio: () => parentBased(ratioSampler(ratioOf(argument))),
  };
  return samplers[name ?? 'always_on']?.();
}

/** Every request. The caller's threshold becomes 0: it does not hold for this span. */
export const always: LeanSampler = (parent) => {
  const state = parent?.traceState;
  if (state === undefined || !/(?:^|[,\s])ot=/.test(state)) return { traceState: state };
  return { traceState: withThreshold(state, '0') };
};

const never: LeanSampler = () => undefined;

/** Follows the caller's sampled flag and keeps its threshold; without a caller `root` decides. */
function parentBased(root: LeanSampler): LeanSampler {
  return (parent, random) => {
    if (parent === undefined) return root(parent, random);
    return parent.isSampled ? { traceState: parent.traceState } : undefined;
  };
}

function ratioSampler(ratio: number): LeanSampler {
  if (ratio >= 1) return always;
  if (ratio <= 0) return never;
  // A threshold has 56 bits, more than a number holds exactly: only its upper 48 are used.
  const upper = Math.min(Math.round((1 - ratio) * 2 ** 48), 2 ** 48 - 1);
  const threshold = upper.toString(16).padStart(12, '0').replace(/0+$/, '') || '0';
  return (parent, random) => {
    const given = /(?:^|[;=])rv:([0-9a-f]{12})[0-9a-f]{2}(?:[;,\s]|$)/.exec(
      parent?.traceState ?? '',
    );
    const drawn = given === null ? random : Number.parseInt(given[1]!, 16);
    return drawn >= upper
      ? { traceState: withThreshold(parent?.traceState, threshold) }
      : undefined;
  };
}

/** tracestate with this threshold in the member `ot`, which comes first. */
function withThreshold(state: string | undefined, threshold: string): string {
  const members = (state ?? '').split(',').map((member) => member.trim());
  const own = members.find((member) => member.startsWith('ot=')) ?? 'ot=';
  const kept = own
    .slice('ot='.length)
    .split(';')
    .filter((part) => part !== '' && !/^(th|p|r):/.test(part));
  const others = members.filter((member) => member !== '' && !member.startsWith('ot='));
  return [`ot=${[`th:${threshold}`, ...kept].join(';')}`, ...others].join(',');
}

function ratioOf(argument: string | undefined): number {
  const ratio = argument === undefined ? 1 : Number(argument);
  return Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 1;
}
