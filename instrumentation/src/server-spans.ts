import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { attributesOf, knowMethods, knownMethod } from './attributes.ts';
import type { Call, Ending } from './call.ts';
import { otlpExporter } from './exporter.ts';
import { type InventoryPart, inventorySpanName } from './inventory.ts';
import { resourceOf } from './resource.ts';
import { leanSampler } from './sampler.ts';
import {
  destinationOf,
  type Environment,
  type RequestHooks,
  type RollcallOptions,
  said,
} from './settings.ts';
import { SpanQueue } from './span-queue.ts';
import { callerContext } from './trace-context.ts';
import { packageVersion } from './version.ts';

/** The attribute that Rollcall reads the consumer from. */
const consumerAttribute = 'enduser.id';

/**
 * Makes SERVER spans of calls that ended, through OpenTelemetry's SDK, and sends them. A span begins and ends
 * at once, with the times of its call: nothing is kept for calls under way but their start.
 * Loaded when a server listens or a call ended, for this file brings the SDK with it.
 */
export class ServerSpans {
  readonly queue: SpanQueue;
  readonly #tracer: Tracer;
  readonly #continues: boolean;

  constructor(options: RollcallOptions, env: Environment, log: (line: string) => void) {
    const destination = destinationOf(options, env);
    this.queue = new SpanQueue({
      ...destination,
      log,
      exporter: () => otlpExporter(destination),
      wants: isWanted,
    });
    const provider = new TracerProvider({
      resource: resourceOf(options, env),
      sampler: samplerOf(env, log),
      spanLimits: spanLimitsOf(env),
      spanProcessors: [this.queue],
    });
    this.#tracer = provider.getTracer('@rollcall/instrumentation', packageVersion);
    this.#continues = continuesCallers(env, log);
    const methods = said(env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS);
    if (methods !== undefined) knowMethods(methods.split(',').map((method) => method.trim()));
    if (
      /grpc/.test(env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? '')
    ) {
      log(
        'lean mode sends OTLP as JSON over HTTP: OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs ROLLCALL_LEAN=off',
      );
    }
  }

  /** @param consumer who called, when the app says so */
  add(call: Call, ending: Ending, hooks: RequestHooks, consumer: string | undefined): void {
    const attributes = attributesOf(call, ending, hooks.headers);
    if (consumer !== undefined) attributes[consumerAttribute] = consumer;
    const method = knownMethod(call.method);
    const verb = method === '_OTHER' ? 'HTTP' : method;
    const context = this.#continues ? callerContext(call.request) : ROOT_CONTEXT;
    const startMs = call.startEpochMs;
    const seconds = Math.floor(startMs / 1000);
    const startNs = (startMs - seconds * 1000) * 1e6;
    const endNs = startNs + Math.round((performance.now() - call.startMs) * 1e6);
    const wholeSeconds = Math.floor(endNs / 1e9);
    const span = this.#tracer.startSpan(
      call.route === undefined ? verb : `${verb} ${call.route}`,
      { kind: SpanKind.SERVER, startTime: [seconds, startNs], attributes },
      context,
    );
    if (!span.isRecording()) return;
    if (ending.status !== undefined && ending.status >= 500) {
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end([seconds + wholeSeconds, endNs - wholeSeconds * 1e9]);
  }

  /** The spans of one inventory, in one trace: the first is its root. */
  declare(parts: readonly InventoryPart[]): void {
    let parent = ROOT_CONTEXT;
    for (const part of parts) {
      const options = { kind: SpanKind.INTERNAL, attributes: { ...part } };
      const span = this.#tracer.startSpan(inventorySpanName, options, parent);
      span.end();
      if (parent === ROOT_CONTEXT) parent = trace.setSpan(ROOT_CONTEXT, span);
    }
  }
}

/** SERVER spans and inventories: what Rollcall reads. */
export function isWanted({ kind, name }: ReadableSpan): boolean {
  return kind === SpanKind.SERVER || name === inventorySpanName;
}

function samplerOf(env: Environment, log: (line: string) => void) {
  const name = said(env.OTEL_TRACES_SAMPLER)?.toLowerCase();
  const everything = leanSampler(undefined, undefined)!;
  const calls = leanSampler(name, said(env.OTEL_TRACES_SAMPLER_ARG));
  if (calls === undefined)
    log(`OTEL_TRACES_SAMPLER=${name} is not known to lean mode: all calls count`);
  if (calls === undefined || calls === everything) return everything;
  const chosen = calls;
  return {
    shouldSample: ((...call) => {
      const isCall = call[3] === SpanKind.SERVER;
      return (isCall ? chosen : everything).shouldSample(...call);
    }) satisfies typeof chosen.shouldSample,
    toString: () => chosen.toString(),
  };
}

function continuesCallers(env: Environment, log: (line: string) => void): boolean {
  const propagators = said(env.OTEL_PROPAGATORS)?.toLowerCase().split(',');
  if (propagators === undefined) return true;
  const others = propagators.map((name) => name.trim()).filter((name) => !known.has(name));
  if (others.length > 0) log(`lean mode continues traceparent alone, not ${others.join(', ')}`);
  return propagators.some((name) => name.trim() === 'tracecontext');
}

const known = new Set(['tracecontext', 'baggage', 'none', '']);

function spanLimitsOf(env: Environment) {
  const length = numberOf(
    env.OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT ?? env.OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT,
  );
  const count = numberOf(env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT ?? env.OTEL_ATTRIBUTE_COUNT_LIMIT);
  return {
    ...(length === undefined ? {} : { attributeValueLengthLimit: length }),
    ...(count === undefined ? {} : { attributeCountLimit: count }),
  };
}

function numberOf(value: string | undefined): number | undefined {
  const number = Number(said(value));
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
