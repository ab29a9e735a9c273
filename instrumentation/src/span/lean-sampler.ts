import type { Caller } from '../request/trace-context.ts';

/** Not recorded, or recorded with this tracestate. */
export type Sampled = { readonly traceState: string | undefined } | undefined;

/** @param random the upper 48 of the trace id's last 56 bits, which W3C says are random */
export type LeanSampler = (caller: Caller | undefined, random: number) => Sampled;

/**
 * Lean mode's sampler. Without OTEL_TRACES_SAMPLER every call counts, whatever the caller sampled. With it,
 * what it asks for, deciding as OpenTelemetry's consistent probability sampling does, with the threshold in
 * tracestate (`ot=th:…`), so that Rollcall knows how many calls a span stands for.
 * @returns undefined for a sampler that is not known
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

/** Every call: what the caller's sampling said of its spans is not said of this one. */
export const always: LeanSampler = (caller) => {
  const state = caller?.traceState;
  if (state === undefined || !/(?:^|[,\s])ot=/.test(state)) return { traceState: state };
  return { traceState: withThreshold(state, '0') };
};

const never: LeanSampler = () => undefined;

/** As the caller decided, whose threshold stays; without a caller as `root` does. */
function parentBased(root: LeanSampler): LeanSampler {
  return (caller, random) => {
    if (caller === undefined) return root(caller, random);
    return caller.isSampled ? { traceState: caller.traceState } : undefined;
  };
}

function ratioSampler(ratio: number): LeanSampler {
  if (ratio >= 1) return always;
  if (ratio <= 0) return never;
  // The threshold has 56 bits, more than a number holds: it is one of the upper 48.
  const upper = Math.min(Math.round((1 - ratio) * 2 ** 48), 2 ** 48 - 1);
  const threshold = upper.toString(16).padStart(12, '0').replace(/0+$/, '') || '0';
  return (caller, random) => {
    const given = /(?:^|[;=])rv:([0-9a-f]{12})[0-9a-f]{2}(?:[;,\s]|$)/.exec(
      caller?.traceState ?? '',
    );
    const drawn = given === null ? random : Number.parseInt(given[1]!, 16);
    return drawn >= upper
      ? { traceState: withThreshold(caller?.traceState, threshold) }
      : undefined;
  };
}

/** A tracestate with this threshold in OpenTelemetry's member, which stands first. */
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
