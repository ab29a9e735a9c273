import { z } from 'zod';
import type { CallRecord } from '../../../core/store/calls.ts';
import type { EndpointRecord } from '../../../core/store/store.ts';
import { isoTime } from '../../../core/window.ts';
import { time } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { endpointColumns } from '../endpoint-columns.ts';

/** A raw call with its endpoint, as answers show it. */
export interface CallEntry {
  call: CallRecord;
  endpoint: Pick<EndpointRecord, 'service' | 'environment' | 'method' | 'route' | 'display'>;
  /** ROLLCALL_TRACE_URL */
  traceUrl: string | undefined;
}

const textOrNull = z.string().nullable();
const bytesOrNull = z.int().nonnegative().nullable();

/** One raw call. What is unknown is null. */
export const callTable = tableOf<CallEntry>()('CallRow', {
  ended_at: {
    type: time,
    about: "the span's end, to the nanosecond",
    value: ({ call }) => isoTimeNs(call),
    brief: true,
  },
  service: endpointColumns.service,
  environment: {
    type: z.string(),
    about: 'deployment.environment.name, empty when unnamed',
    value: ({ endpoint }) => endpoint.environment,
  },
  method: endpointColumns.method,
  route: {
    type: z.string(),
    about: 'the route of its endpoint, as reports show it',
    value: ({ endpoint }) => endpoint.route,
    brief: true,
  },
  route_display: {
    type: z.string(),
    about: 'the same route as the service itself spells it',
    value: ({ endpoint }) => endpoint.display,
  },
  status: {
    type: z.int().nullable(),
    about: 'HTTP status; null for a call without one',
    value: ({ call }) => call.status || null,
    brief: true,
  },
  duration_ms: {
    type: z.number().nonnegative().nullable(),
    about: 'milliseconds, to the nanosecond; null when the duration is no latency',
    value: ({ call }) => (call.durationNs < 0 ? null : call.durationNs / 1e6),
    brief: true,
  },
  client: {
    type: textOrNull,
    about: 'address of the caller, as ROLLCALL_CLIENT_PRIVACY stores it',
    value: ({ call }) => call.client || null,
    brief: true,
  },
  consumer: {
    type: textOrNull,
    about: 'name of the caller',
    value: ({ call }) => call.consumer || null,
    brief: true,
  },
  agent: {
    type: textOrNull,
    about: "product of the caller's user agent",
    value: ({ call }) => call.agent || null,
  },
  bot: {
    type: z.boolean(),
    about: 'the caller is a monitor, crawler or scanner',
    value: ({ call }) => call.bot,
  },
  service_version: {
    type: textOrNull,
    about: 'service.version',
    value: ({ call }) => call.serviceVersion || null,
  },
  error_type: {
    type: textOrNull,
    about: 'error.type of the span',
    value: ({ call }) => call.errorType || null,
    brief: true,
  },
  request_bytes: {
    type: bytesOrNull,
    about: "bytes of the request's body",
    value: ({ call }) => (call.requestBytes < 0 ? null : call.requestBytes),
  },
  response_bytes: {
    type: bytesOrNull,
    about: "bytes of the answer's body",
    value: ({ call }) => (call.responseBytes < 0 ? null : call.responseBytes),
  },
  weight: {
    type: z.number().nonnegative().optional(),
    about: 'calls that this sampled one represents; absent when it represents itself alone',
    value: ({ call }) => (call.weight === 1 ? undefined : call.weight),
    sparse: true,
  },
  trace_id: {
    type: textOrNull,
    about: '32 hexadecimal digits',
    value: ({ call }) => call.traceId || null,
    brief: true,
  },
  trace_url: {
    type: z.string().optional(),
    about:
      'the trace in its own system; absent without ROLLCALL_TRACE_URL and for a call without a trace id',
    value: ({ call, traceUrl }) => traceLink(traceUrl, call.traceId),
    sparse: true,
  },
  endpoint: { type: z.string(), about: 'id of the endpoint', value: ({ call }) => call.endpoint },
  id: {
    type: z.string(),
    about: 'names the call among those of its project; it means nothing else',
    value: ({ call }) => call.id,
  },
});

export type CallRow = z.output<typeof callTable.schema>;

function traceLink(template: string | undefined, traceId: string): string | undefined {
  return template === undefined || traceId === ''
    ? undefined
    : template.replaceAll('{trace_id}', traceId);
}

/** ISO 8601 with nine digits behind the seconds. */
function isoTimeNs({ endS, endNs }: CallRecord): string {
  return `${isoTime(endS * 1000).slice(0, -'.000Z'.length)}.${String(endNs).padStart(9, '0')}Z`;
}
