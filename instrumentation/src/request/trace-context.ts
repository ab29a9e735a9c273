import type { RawRequest } from '../frameworks/framework.ts';

/** The caller's span, as W3C Trace Context carries it. */
export interface Caller {
  traceId: string;
  spanId: string;
  isSampled: boolean;
  /** As it came. */
  traceState: string | undefined;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const nothing = /^0+$/;
/** W3C asks for at least 512 characters to be passed on; a longer one is not worth a span its size. */
const stateCharacters = 512;

/** Whom a request continues; undefined when it brings no traceparent, or none that is well formed. */
export function callerOf(request: RawRequest): Caller | undefined {
  const { traceparent, tracestate } = request.headers;
  if (typeof traceparent !== 'string') return undefined;
  const [, version, traceId, spanId, flags, more] = form.exec(traceparent.trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) {
    return undefined;
  }
  if (nothing.test(traceId!) || nothing.test(spanId!)) return undefined;
  const state = Array.isArray(tracestate) ? tracestate.join(',') : tracestate;
  return {
    traceId: traceId!,
    spanId: spanId!,
    isSampled: (Number.parseInt(flags!, 16) & 1) === 1,
    traceState: state !== undefined && state.length <= stateCharacters ? state : undefined,
  };
}
