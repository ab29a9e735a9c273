import type { IncomingMessage } from 'node:http';
import { credentialsOf } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { connectionOf } from '../../core/server/web-server.ts';
import type { Encoding, PartialSuccess, Signal } from '../otlp/responses.ts';
import { type Body, checkDeclared, codecOf } from '../request/body.ts';
import { type ExportContext, takeBody } from '../request/request.ts';
import { declaredBytes, readBody } from './body.ts';

/** Signals by path. Exporters use a traces endpoint as it is written, possibly without a path (H8). */
export const exportPaths = new Map<string, Signal>([
  ['/', 'traces'],
  ['/v1/traces', 'traces'],
  ['/v1/traces/', 'traces'],
  ['/v1/metrics', 'metrics'],
  ['/v1/metrics/', 'metrics'],
  ['/v1/logs', 'logs'],
  ['/v1/logs/', 'logs'],
  ['/v1development/profiles', 'profiles'],
  ['/v1development/profiles/', 'profiles'],
]);

/** The encoding of a Content-Type, in any case and with any parameters; undefined for an unsupported one. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  if (contentType === undefined) return undefined;
  const known = encodings.get(contentType);
  if (known !== undefined) return known;
  return encodings.get(contentType.split(';', 1)[0]!.trim().toLowerCase());
}

const encodings = new Map<string, Encoding>([
  ['application/x-protobuf', 'protobuf'],
  ['application/protobuf', 'protobuf'],
  ['application/json', 'json'],
]);

/**
 * Authorizes the request, reads its body and ingests it.
 * @param begin called when the request is admitted, before its body is read
 * @returns the rejected spans, if any, when the rest is durable
 * @throws AppError, or `Gone` when the client disconnected before its body was complete
 */
export async function takeExport(
  context: ExportContext,
  request: IncomingMessage,
  signal: Signal,
  begin: () => void,
): Promise<PartialSuccess | undefined> {
  const { headers } = request;
  const credentials = credentialsOf(headers, request.socket.remoteAddress);
  const project = await context.gate.project(credentials, 'ingest');
  const codec = codecOf(headers['content-encoding']);
  const encoding = encodingOf(headers['content-type']);
  if (encoding === undefined) throw new AppError('unsupported', unsupportedType);
  const declared = declaredBytes(request);
  const { bodyBytesMax: bytesMax, ingest, pool } = context;
  checkDeclared(declared, bytesMax);
  const { remoteAddress: client = '' } = request.socket;
  const sender = { connection: connectionOf(request), address: client, project };
  const share = ingest.admit(sender, declared);
  let body: Body;
  try {
    begin();
    body = await readBody(request, { codec, bytesMax, share, pool });
  } catch (error) {
    share.release();
    throw error;
  }
  return takeBody(context, { project, signal, encoding, client }, body, share);
}

const unsupportedType =
  '415 unsupported media type, supported: [application/json, application/x-protobuf]';
