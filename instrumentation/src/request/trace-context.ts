import type { RawRequest } from '../frameworks/framework.ts';

/** The span of the calling service, from the request's `traceparent` (W3C Trace Context). */
export interface RemoteParent {
  traceId: string;
  spanId: string;
  isSampled: boolean;
  /** As it came. */
  traceState: string | undefined;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const nothing = /^0+$/;
/** W3C requires at least 512 characters; a longer tracestate would be larger than the span and is dropped. */
const stateCharacters = 512;

/** undefined without a `traceparent`, or with a malformed one. */
export function remoteParentOf(request: RawRequest): RemoteParent | undefined {
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
