import type { IncomingMessage } from 'node:http';
import type { Authorizer } from '../../core/auth/authorizer.ts';
import { credentialsOf } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Share } from '../ingest/budget.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { isLarge, type LargeMessages } from '../ingest/large-message.ts';
import type { CollectorMetrics } from '../metrics.ts';
import { tracesFromJson } from '../otlp/json.ts';
import type { LargeJson } from '../otlp/large-json.ts';
import { countUnstored, type UnstoredSignal } from '../otlp/other-signals.ts';
import type { Encoding, PartialSuccess, Signal } from '../otlp/responses.ts';
import { type Body, checkDeclared, codecOf, declaredBytes, readBody } from './body.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { LogThrottle } from './log-throttle.ts';
import type { ScavengeAfterChunks } from './minor-gc.ts';

/** One export request over HTTP, from its headers to what is to be answered. */
export interface ExportContext {
  gate: Authorizer;
  ingest: Ingest;
  metrics: CollectorMetrics;
  notices: LogThrottle;
  pool: BufferPool;
  garbage: ScavengeAfterChunks;
  largeJson: LargeJson;
  largeMessages: LargeMessages;
  bodyBytesMax: number;
}

/** Signals by path. A URL set for traces alone is used as it stands and may have no path at all (H8). */
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

/** The encoding of a Content-Type, whatever its case and parameters; undefined for one we do not take. */
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
 * Asks whose request it is, then reads the body and takes what is in it.
 * @param begin called when the request is admitted, before its body is read
 * @returns what was not taken, if anything, when the rest is durable
 * @throws AppError, or `Gone` when the client went away before its body was complete
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
  const share = ingest.admit(declared ?? unknownBytes);
  let body: Body;
  try {
    begin();
    body = await readBody(request, { codec, bytesMax, share, pool });
  } catch (error) {
    share.release();
    throw error;
  }
  const client = request.socket.remoteAddress ?? '';
  return takeBody(context, { project, signal, encoding, client }, body, share);
}

/** What is known of a body beside its bytes, whichever door it came through. */
export interface Envelope {
  project: string;
  signal: Signal;
  encoding: Encoding;
  /** Address of the sender's connection. */
  client: string;
}

/**
 * Takes what is in a body, and gives its memory and its share back.
 * @returns what was not taken, if anything, when the rest is durable
 * @throws AppError
 */
export async function takeBody(
  context: ExportContext,
  { project, signal, encoding, client }: Envelope,
  body: Body,
  share: Share,
): Promise<PartialSuccess | undefined> {
  const { ingest, largeMessages, metrics, notices } = context;
  let taken: Promise<PartialSuccess | undefined>;
  try {
    metrics.body(body.bytes.length);
    if (signal !== 'traces') {
      const rejected = await count(context, signal, encoding, body.bytes);
      return notStored(notices, client, signal, rejected);
    }
    const message = encoding === 'json' ? await fromJson(context, body.bytes) : body.bytes;
    if (isLarge(message)) return await largeMessages.receive(project, message, body.bytes);
    taken = ingest.receive(project, message, body.bytes);
  } finally {
    // What is taken is copied out of the body, so its memory need not wait for the commit.
    body.release();
    share.release();
    context.garbage.add(body.bytes.length);
  }
  return taken;
}

function fromJson({ largeJson }: ExportContext, bytes: Buffer): Buffer | Promise<Buffer> {
  return bytes.length > limits.largeJsonBytes ? largeJson.traces(bytes) : tracesFromJson(bytes);
}

function count(
  { largeJson }: ExportContext,
  signal: UnstoredSignal,
  encoding: Encoding,
  bytes: Buffer,
): number | Promise<number> {
  const isLarge = encoding === 'json' && bytes.length > limits.largeJsonBytes;
  return isLarge ? largeJson.count(signal, bytes) : countUnstored(signal, encoding, bytes);
}

function notStored(
  notices: LogThrottle,
  client: string,
  signal: UnstoredSignal,
  rejected: number,
): PartialSuccess | undefined {
  if (!notices.due(client, signal)) return undefined;
  return { rejected, message: `Rollcall does not store ${signal}; ${advice[signal]}` };
}

const advice: Record<UnstoredSignal, string> = {
  metrics: 'set OTEL_METRICS_EXPORTER=none, or send them elsewhere',
  logs: 'set OTEL_LOGS_EXPORTER=none, or send them elsewhere',
  profiles: 'send them elsewhere',
};

const unsupportedType =
  '415 unsupported media type, supported: [application/json, application/x-protobuf]';

/** Room asked for a body of unknown length; it grows as the body does. */
const unknownBytes = 64 * 1024;
