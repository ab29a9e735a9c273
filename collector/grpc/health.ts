import type { ServerHttp2Stream } from 'node:http2';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { checkReady } from '../ingest/readiness.ts';
import { ProtobufReader } from '../otlp/protobuf-reader.ts';
import type { BufferPool } from '../request/body.ts';
import { beginReply, endReply, framed, reply } from './answer.ts';
import { readMessage } from './message.ts';
import { grpcCodec, type Rpc } from './rpc.ts';
import { grpcCode, RpcError } from './status.ts';

/**
 * grpc.health.v1.Health, for Kubernetes probes and gRPC clients: SERVING while the store can commit. The
 * service's name is empty (the server as a whole) or one of ours.
 */
export class Health {
  readonly #ingest: Ingest;
  readonly #pool: BufferPool;
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Map<ServerHttp2Stream, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  /** @param services names such as `opentelemetry.proto.collector.trace.v1.TraceService` */
  constructor(ingest: Ingest, pool: BufferPool, services: Iterable<string>) {
    this.#ingest = ingest;
    this.#pool = pool;
    this.#services = new Set(['', 'grpc.health.v1.Health', ...services]);
  }

  /** @throws RpcError NOT_FOUND for a service that we do not have */
  async check(rpc: Rpc): Promise<void> {
    const service = await this.#asked(rpc);
    if (!this.#services.has(service)) {
      throw new RpcError(grpcCode.notFound, `there is no service ${service} here`);
    }
    reply(rpc.stream, healthOf(await this.#status()));
  }

  /** Sends the status now and at each change, until the client or the server ends the call. */
  async watch(rpc: Rpc): Promise<void> {
    const service = await this.#asked(rpc);
    const { stream } = rpc;
    if (this.#closed) throw shuttingDown();
    const status = this.#services.has(service) ? await this.#status() : serviceUnknown;
    if (stream.destroyed) return;
    rpc.deadline.arrived();
    rpc.deadline.watch((late) => this.#end(stream, late));
    beginReply(stream);
    stream.write(framed(healthOf(status)));
    this.#watchers.set(stream, status);
    stream.once('close', () => this.#forget(stream));
    this.#timer ??= setInterval(() => this.#look(), limits.healthWatchMs);
  }

  /** Sends watchers NOT_SERVING: the server shuts down. */
  close(): void {
    this.#closed = true;
    for (const [stream, status] of this.#watchers) {
      if (status !== serviceUnknown) stream.write(framed(healthOf(notServing)));
      this.#end(stream, shuttingDown());
    }
  }

  async #asked({ stream, headers, deadline }: Rpc): Promise<string> {
    const admit = () => unboundedShare;
    const codec = grpcCodec(headers);
    const bytesMax = limits.healthMessageBytes;
    const reading = readMessage(stream, { codec, bytesMax, pool: this.#pool, admit });
    deadline.watch(reading.fail);
    const { body } = await reading.message;
    try {
      return serviceOf(body.bytes);
    } finally {
      body.release();
    }
  }

  async #status(): Promise<number> {
    try {
      await checkReady(this.#ingest);
      return serving;
    } catch {
      return notServing;
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const status = await this.#status();
    this.#looking = false;
    for (const [stream, told] of this.#watchers) {
      // The connection is being ended gracefully, and waits for this call.
      if (stream.session?.closed !== false) this.#end(stream, shuttingDown());
      else if (told !== serviceUnknown && told !== status) {
        stream.write(framed(healthOf(status)));
        this.#watchers.set(stream, status);
      }
    }
  }

  #end(stream: ServerHttp2Stream, failure: Error): void {
    this.#forget(stream);
    if (!stream.destroyed) endReply(stream, Buffer.alloc(0), failure);
  }

  #forget(stream: ServerHttp2Stream): void {
    this.#watchers.delete(stream);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const serving = 1;
const notServing = 2;
const serviceUnknown = 3;

/** HealthCheckResponse. */
function healthOf(status: number): Buffer {
  return Buffer.from([0x08, status]);
}

/** `service` of a HealthCheckRequest. @throws AppError `invalid` */
function serviceOf(message: Buffer): string {
  const cursor = new ProtobufReader();
  const end = cursor.open(message);
  let service = '';
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag !== 0x0a) {
      cursor.skip(tag, end);
      continue;
    }
    const to = cursor.length(end);
    service = message.toString('utf8', cursor.at, to);
    cursor.at = to;
  }
  return service;
}

function shuttingDown(): AppError {
  return new AppError('unavailable', 'the collector is shutting down');
}

/** A few bytes, outside of the budget: health must be available under load. */
const unboundedShare = { grow() {}, whenLost() {}, whole() {}, release() {} };
