import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { credentialsOf } from '../../core/auth/credentials.ts';
import type { PartialSuccess, Signal } from '../otlp/responses.ts';
import { type Codec, codecOf } from '../request/body.ts';
import { type ExportContext, takeBody } from '../request/request.ts';
import type { Deadline } from './deadline.ts';
import { readMessage } from './message.ts';
import { grpcCode, RpcError } from './status.ts';

/** One export call over gRPC, from its headers to its response. */
export interface Rpc {
  stream: ServerHttp2Stream;
  headers: IncomingHttpHeaders;
  deadline: Deadline;
}

export const exportMethods = new Map<string, Signal>([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
  ['/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export', 'profiles'],
]);

/**
 * Authorizes the call, reads its message and ingests it.
 * @returns the rejected spans, if any, when the rest is durable
 * @throws AppError, RpcError, or `Gone` when the client disconnected before its message was complete
 */
export async function takeRpc(
  context: ExportContext,
  { stream, headers, deadline }: Rpc,
  signal: Signal,
): Promise<PartialSuccess | undefined> {
  const codec = grpcCodec(headers);
  const client = stream.session?.socket?.remoteAddress ?? '';
  const project = await context.authorizer.project(
    credentialsOf(headers, client),
    'ingest',
    (name, scope) => context.arrivals?.request(name, 'refused', scope),
  );
  const { bodyBytesMax: bytesMax, ingest, pool } = context;
  const sender = { connection: stream.session ?? stream, address: client, project };
  const admit = (bytes: number) => ingest.admit(sender, bytes);
  const reading = readMessage(stream, { codec, bytesMax, pool, admit });
  deadline.watch(reading.fail);
  const { body, share } = await reading.message;
  deadline.arrived();
  const envelope = { project, signal, encoding: 'protobuf', client } as const;
  // A message that was handed to the store cannot be taken back. After DEADLINE_EXCEEDED its sender repeats the
  // same bytes, and they count once.
  return deadline.during(takeBody(context, envelope, body, share));
}

/** @throws RpcError UNIMPLEMENTED, with those we know, for an encoding that we do not (G2) */
export function grpcCodec({ 'grpc-encoding': header }: IncomingHttpHeaders): Codec | undefined {
  if (header === undefined) return undefined;
  const name = String(header).trim().toLowerCase();
  if (knownEncodings.includes(name)) return codecOf(name);
  throw new RpcError(grpcCode.unimplemented, `unsupported grpc-encoding: ${header}`, {
    'grpc-accept-encoding': knownEncodings.join(','),
  });
}

const knownEncodings = ['identity', 'gzip', 'deflate', 'zstd'];
