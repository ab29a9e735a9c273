import { knowMethods, knownMethod, writeAttributes } from './attributes.ts';
import type { Call, Ending } from './call.ts';
import { encodedSender } from './exporter.ts';
import { type InventoryPart, inventorySpanName } from './inventory.ts';
import { always, type LeanSampler, leanSampler } from './lean-sampler.ts';
import { limits } from './limits.ts';
import { resourceOf } from './resource.ts';
import {
  destinationOf,
  type Environment,
  type RequestHooks,
  type RollcallOptions,
  said,
} from './settings.ts';
import { type Packer, SpanQueue } from './span-queue.ts';
import {
  AttributeKey,
  encodedResource,
  encodedScope,
  SpanWriter,
  traceRequest,
} from './span-writer.ts';
import { type Caller, callerOf } from './trace-context.ts';
import { packageVersion } from './version.ts';

/** One span to be written: `write` is between `begin` and `end`. */
type Writing = (writer: SpanWriter) => void;

const kind = { internal: 1, server: 2 };
/** The attribute that Rollcall reads the consumer from. */
const consumerKey = new AttributeKey('enduser.id');

/**
 * Makes SERVER spans of calls that ended, and sends them. A span is written at once, with the times of its
 * call: nothing is kept for calls under way but their start.
 * Loaded when a server listens or a call ended, for it brings OpenTelemetry's exporter with it.
 */
export class ServerSpans {
  readonly queue: SpanQueue<Writing, Buffer>;
  readonly #sampler: LeanSampler;
  readonly #continues: boolean;
  readonly #traceId = Buffer.alloc(16);
  readonly #spanId = Buffer.alloc(8);

  constructor(options: RollcallOptions, env: Environment, log: (line: string) => void) {
    const destination = destinationOf(options, env);
    this.queue = new SpanQueue({
      ...destination,
      log,
      packer: new RequestPacker(options, env),
      sender: () => encodedSender(destination),
      queuedSpansMax: destination.queuedSpansMax ?? limits.queuedSpans,
    });
    this.#sampler = samplerOf(env, log);
    this.#continues = continuesCallers(env, log);
    const methods = said(env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS);
    if (methods !== undefined) knowMethods(methods.split(',').map((method) => method.trim()));
    const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
    if (protocol?.trim() === 'grpc') {
      log(
        'lean mode sends OTLP over HTTP: OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs ROLLCALL_LEAN=off',
      );
    }
  }

  /** @param consumer who called, when the app says so */
  add(call: Call, ending: Ending, hooks: RequestHooks, consumer: string | undefined): void {
    const durationNs = Math.round((performance.now() - call.startMs) * 1e6);
    const caller = this.#continues ? callerOf(call.request) : undefined;
    this.#drawIds();
    const sampled = this.#sampler(caller, this.#random(caller));
    if (sampled === undefined) return;
    const method = knownMethod(call.method);
    const verb = method === '_OTHER' ? 'HTTP' : method;
    this.queue.add((writer) => {
      writer.begin({
        name: call.route === undefined ? verb : `${verb} ${call.route}`,
        kind: kind.server,
        parent: caller,
        traceState: sampled.traceState,
        startEpochMs: call.startEpochMs,
        durationNs,
        isError: ending.status !== undefined && ending.status >= 500,
        traceId: this.#traceId,
        spanId: this.#spanId,
      });
      writeAttributes(writer, call, ending, hooks.headers);
      if (consumer !== undefined) writer.repeated(consumerKey, consumer);
    });
  }

  /** The spans of one inventory, in one trace: the first is its root. */
  declare(parts: readonly InventoryPart[]): void {
    const startEpochMs = Date.now();
    let parent: { traceId: string; spanId: string } | undefined;
    for (const part of parts) {
      this.#drawIds();
      const head = { name: inventorySpanName, kind: kind.internal, traceState: undefined, parent };
      const ids = { traceId: this.#traceId, spanId: this.#spanId };
      this.queue.add((writer) => {
        writer.begin({ ...head, ...ids, startEpochMs, durationNs: 0, isError: false });
        for (const [name, value] of Object.entries(part)) {
          if (Array.isArray(value)) writer.list(new AttributeKey(name), value);
          else writer.integer(new AttributeKey(name), value);
        }
      });
      parent ??= { traceId: this.#traceId.toString('hex'), spanId: this.#spanId.toString('hex') };
    }
  }

  /** As the SDK draws them: not secrets, and a hundred times as fast as those. */
  #drawIds(): void {
    for (let at = 0; at < 16; at += 4) this.#traceId.writeUInt32LE(randomWord(), at);
    for (let at = 0; at < 8; at += 4) this.#spanId.writeUInt32LE(randomWord(), at);
  }

  /** The upper 48 of the trace id's last 56 bits. */
  #random(caller: Caller | undefined): number {
    if (this.#sampler === always) return 0;
    if (caller !== undefined) return Number.parseInt(caller.traceId.slice(18, 30), 16);
    return this.#traceId.readUIntBE(9, 6);
  }
}

/** Never 0, so that no id is all zeros. */
function randomWord(): number {
  return 1 + Math.floor(Math.random() * 0xffffffff);
}

/** Writes spans into one request. A span that fails half-way is taken back. */
class RequestPacker implements Packer<Writing, Buffer> {
  readonly #writer: SpanWriter;
  readonly #resource: Buffer;
  readonly #scope = encodedScope('@rollcall/instrumentation', packageVersion);

  constructor(options: RollcallOptions, env: Environment) {
    this.#resource = encodedResource(resourceOf(options, env).attributes);
    this.#writer = new SpanWriter(spanLimitsOf(env));
  }

  get spans(): number {
    return this.#writer.spans;
  }

  add(write: Writing): void {
    try {
      write(this.#writer);
      this.#writer.end();
    } catch (error) {
      this.#writer.discard();
      throw error;
    }
  }

  take(): Buffer {
    return traceRequest(this.#resource, this.#scope, this.#writer.take());
  }
}

function samplerOf(env: Environment, log: (line: string) => void): LeanSampler {
  const name = said(env.OTEL_TRACES_SAMPLER)?.toLowerCase();
  const sampler = leanSampler(name, said(env.OTEL_TRACES_SAMPLER_ARG));
  if (sampler !== undefined) return sampler;
  log(`OTEL_TRACES_SAMPLER=${name} is not known to lean mode: all calls count`);
  return always;
}

function continuesCallers(env: Environment, log: (line: string) => void): boolean {
  const propagators = said(env.OTEL_PROPAGATORS)?.toLowerCase().split(',');
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
  const text = said(value);
  const number = Number(text);
  return text !== undefined && Number.isFinite(number) && number >= 0
    ? number
    : Number.POSITIVE_INFINITY;
}
