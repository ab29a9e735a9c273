import type { Authorizer } from '../../core/auth/authorizer.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Share } from '../../core/server/byte-budget.ts';
import type { ArrivalRecorder } from '../ingest/arrivals.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { isLarge, type LargeMessages } from '../ingest/large-message.ts';
import type { CollectorMetrics } from '../metrics.ts';
import { tracesFromJson } from '../otlp/json.ts';
import type { LargeJson } from '../otlp/large-json.ts';
import { countUnstored, type UnstoredSignal } from '../otlp/other-signals.ts';
import type { Encoding, PartialSuccess, Signal } from '../otlp/responses.ts';
import type { Body, BufferPool } from './body.ts';
import type { LogThrottle } from './log-throttle.ts';
import type { ScavengeAfterChunks } from './minor-gc.ts';

/** Everything an export request passes on its way to the store; one for all transports. */
export interface ExportContext {
  authorizer: Authorizer;
  ingest: Ingest;
  metrics: CollectorMetrics;
  /** Counts what arrived, for /doctor; absent where nobody asks. */
  arrivals?: ArrivalRecorder;
  notices: LogThrottle;
  pool: BufferPool;
  garbage: ScavengeAfterChunks;
  largeJson: LargeJson;
  largeMessages: LargeMessages;
  bodyBytesMax: number;
}

/** Properties of a body besides its bytes, on any transport. */
export interface Envelope {
  project: string;
  signal: Signal;
  encoding: Encoding;
  /** Address of the sender's connection. */
  client: string;
}

/**
 * Ingests a body, then releases its memory and its budget.
 * @returns the rejected spans, if any, when the rest is durable
 * @throws AppError
 */
export async function takeBody(
  context: ExportContext,
  { project, signal, encoding, client }: Envelope,
  body: Body,
  share: Share,
): Promise<PartialSuccess | undefined> {
  try {
    return await ingestBody(context, { project, signal, encoding, client }, body, share);
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid') {
      context.arrivals?.request(project, 'undecodable', signal);
    }
    throw error;
  }
}

async function ingestBody(
  context: ExportContext,
  { project, signal, encoding, client }: Envelope,
  body: Body,
  share: Share,
): Promise<PartialSuccess | undefined> {
  const { arrivals, ingest, largeMessages, metrics, notices } = context;
  let taken: Promise<PartialSuccess | undefined>;
  try {
    metrics.body(body.bytes.length);
    if (signal !== 'traces') {
      arrivals?.request(project, 'other_signal', signal);
      const rejected = await count(context, signal, encoding, body.bytes);
      return notStored(notices, client, signal, rejected);
    }
    const message = encoding === 'json' ? await fromJson(context, body.bytes) : body.bytes;
    if (isLarge(message)) return await largeMessages.receive(project, message, body.bytes);
    taken = ingest.receive(project, message, body.bytes);
  } finally {
    // Calls are copied out of the body, so its memory is released before the commit.
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
