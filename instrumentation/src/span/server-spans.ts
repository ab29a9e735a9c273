import { performance } from 'node:perf_hooks';
import { encodedSender } from '../export/exporter.ts';
import { type Packer, SpanQueue } from '../export/span-queue.ts';
import { Guard } from '../guard.ts';
import { type InventoryPart, inventorySpanName } from '../inventory.ts';
import { limits } from '../limits.ts';
import type { Ending, RequestRecord } from '../request/request-record.ts';
import type { ResponseHeaders } from '../request/response-headers.ts';
import { type RemoteParent, remoteParentOf } from '../request/trace-context.ts';
import { resourceOf } from '../resource.ts';
import {
  destinationOf,
  type Environment,
  nonEmpty,
  type RequestHooks,
  type RollcallOptions,
} from '../settings.ts';
import { packageVersion } from '../version.ts';
import { factsOf, type RequestFacts, setKnownMethods, writeAttributes } from './attributes.ts';
import { hexIds, IdSource, type SpanIds } from './id-source.ts';
import { always, type LeanSampler, leanSampler } from './lean-sampler.ts';
import {
  AttributeKey,
  encodedResource,
  encodedScope,
  SpanWriter,
  traceRequest,
} from './span-writer.ts';

/** Writes one span: `SpanWriter.begin`, then its attributes. `end` is called by the packer. */
type Writing = (writer: SpanWriter) => void;

const kind = { internal: 1, server: 2 };
/** Rollcall reads the consumer from this attribute. */
const consumerKey = new AttributeKey('enduser.id');

/**
 * Makes SERVER spans of requests that ended, and queues them. Until then a request has only its record.
 * Loaded when a server listens or a request ends, because it loads OpenTelemetry's packages.
 */
export class ServerSpans {
  readonly queue: SpanQueue<Writing, Buffer>;
  readonly #sampler: LeanSampler;
  readonly #continues: boolean;
  readonly #ids = new IdSource();

  constructor(options: RollcallOptions, env: Environment, log: (line: string) => void) {
    const destination = destinationOf(options, env);
    this.queue = new SpanQueue({
      ...destination,
      log,
      packer: new RequestPacker(options, env, log),
      sender: () => encodedSender(destination),
      queuedSpansMax: destination.queuedSpansMax ?? limits.queuedSpans,
    });
    this.#sampler = samplerOf(env, log);
    this.#continues = continuesTraces(env, log);
    const methods = nonEmpty(env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS);
    if (methods !== undefined) setKnownMethods(methods.split(',').map((method) => method.trim()));
    const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
    if (protocol?.trim() === 'grpc') {
      log(
        'lean mode sends OTLP over HTTP: OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs ROLLCALL_LEAN=off',
      );
    }
  }

  /** @param consumer name of the caller, from the app's hook */
  add(
    record: RequestRecord,
    ending: Ending,
    responseHeaders: ResponseHeaders | undefined,
    hooks: RequestHooks,
    consumer: string | undefined,
  ): void {
    const durationNs = Math.round((performance.now() - record.startMs) * 1e6);
    const parent = this.#continues ? remoteParentOf(record.request) : undefined;
    const ids = this.#ids.draw();
    const sampled = this.#sampler(parent, this.#random(parent, ids));
    if (sampled === undefined) return;
    const { startEpochMs } = record;
    const { traceState } = sampled;
    const facts = factsOf(record, ending, responseHeaders, hooks.headers);
    this.queue.add((writer) => {
      writer.begin({
        name: spanName(facts),
        kind: kind.server,
        parent,
        traceState,
        startEpochMs,
        durationNs,
        isError: facts.status !== undefined && facts.status >= 500,
        ids,
      });
      writeAttributes(writer, facts);
      if (consumer !== undefined) writer.repeated(consumerKey, consumer);
    });
  }

  /** Queues the spans of one inventory. They share a trace; the first is its root. */
  declare(parts: readonly InventoryPart[]): void {
    const startEpochMs = Date.now();
    let parent: { traceId: string; spanId: string } | undefined;
    for (const part of parts) {
      const ids = this.#ids.draw();
      const head = { name: inventorySpanName, kind: kind.internal, traceState: undefined, parent };
      this.queue.add((writer) => {
        writer.begin({ ...head, ids, startEpochMs, durationNs: 0, isError: false });
        for (const [name, value] of Object.entries(part)) {
          if (Array.isArray(value)) writer.list(new AttributeKey(name), value);
          else writer.integer(new AttributeKey(name), value);
        }
      });
      parent ??= hexIds(ids);
    }
  }

  /** The upper 48 of the trace id's last 56 bits. */
  #random(parent: RemoteParent | undefined, { bytes, at }: SpanIds): number {
    if (this.#sampler === always) return 0;
    if (parent !== undefined) return Number.parseInt(parent.traceId.slice(18, 30), 16);
    return bytes.readUIntBE(at + 9, 6);
  }
}

function spanName({ method, route }: RequestFacts): string {
  const verb = method === '_OTHER' ? 'HTTP' : method;
  return route === undefined ? verb : `${verb} ${route}`;
}

/**
 * Packs spans into OTLP requests. Spans are encoded 128 at a time, because one at a time, between two requests of the
 * app, the encoder's code and tables are no longer in the processor's caches. A span that fails half-way is discarded.
 */
class RequestPacker implements Packer<Writing, Buffer> {
  readonly #writer: SpanWriter;
  readonly #resource: Buffer;
  readonly #scope = encodedScope('@rollcall/instrumentation', packageVersion);

  readonly #guard: Guard;
  readonly #unwritten: Writing[] = [];
  /** The buffer of a delivered request, reused: a new one would be 1 MB of garbage for each delivery. */
  #spare: Buffer | undefined;

  constructor(options: RollcallOptions, env: Environment, log: (line: string) => void) {
    this.#guard = new Guard(log);
    this.#resource = encodedResource(resourceOf(options, env).attributes);
    this.#writer = new SpanWriter(spanLimitsOf(env));
  }

  get spans(): number {
    return this.#writer.spans + this.#unwritten.length;
  }

  add(write: Writing): void {
    if (this.#unwritten.push(write) >= limits.unwrittenSpans) this.#write();
  }

  #write(): void {
    for (const write of this.#unwritten) {
      try {
        write(this.#writer);
        this.#writer.end();
      } catch (error) {
        this.#writer.discard();
        this.#guard.report('writing a span', error);
      }
    }
    this.#unwritten.length = 0;
  }

  take(): Buffer {
    this.#write();
    const request = traceRequest(this.#resource, this.#scope, this.#writer.take(), this.#spare);
    if (request.buffer === this.#spare?.buffer) this.#spare = undefined;
    return request;
  }

  reclaim(request: Buffer): void {
    const whole = Buffer.from(request.buffer);
    if (whole.length > (this.#spare?.length ?? 0)) this.#spare = whole;
  }
}

function samplerOf(env: Environment, log: (line: string) => void): LeanSampler {
  const name = nonEmpty(env.OTEL_TRACES_SAMPLER)?.toLowerCase();
  const sampler = leanSampler(name, nonEmpty(env.OTEL_TRACES_SAMPLER_ARG));
  if (sampler !== undefined) return sampler;
  log(`OTEL_TRACES_SAMPLER=${name} is not known to lean mode: all calls count`);
  return always;
}

function continuesTraces(env: Environment, log: (line: string) => void): boolean {
  const propagators = nonEmpty(env.OTEL_PROPAGATORS)?.toLowerCase().split(',');
  if (propagators === undefined) return true;
  const names = propagators.map((name) => name.trim());
  const others = names.filter((name) => !known.has(name));
  if (others.length > 0) log(`lean mode continues traceparent alone, not ${others.join(', ')}`);
  return names.includes('tracecontext');
}

const known = new Set(['tracecontext', 'baggage', 'none', '']);

function spanLimitsOf(env: Environment): { attributes: number; characters: number } {
  const attributes = env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT ?? env.OTEL_ATTRIBUTE_COUNT_LIMIT;
  const characters =
    env.OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT ?? env.OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT;
  return { attributes: limitOf(attributes), characters: limitOf(characters) };
}

function limitOf(value: string | undefined): number {
  const text = nonEmpty(value);
  const number = Number(text);
  return text !== undefined && Number.isFinite(number) && number >= 0
    ? number
    : Number.POSITIVE_INFINITY;
}
