import { type Context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';
import type { RawRequest } from './framework.ts';

/** The caller's context (W3C Trace Context), to be continued; without one, or with one that is none, the root. */
export function callerContext(request: RawRequest): Context {
  const { traceparent, tracestate } = request.headers;
  if (typeof traceparent !== 'string') return ROOT_CONTEXT;
  const parent = parseTraceParent(traceparent);
  if (parent === null) return ROOT_CONTEXT;
  const state = Array.isArray(tracestate) ? tracestate.join(',') : tracestate;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...parent,
    isRemote: true,
    ...(typeof state === 'string' && state !== '' ? { traceState: new TraceState(state) } : {}),
  });
}
