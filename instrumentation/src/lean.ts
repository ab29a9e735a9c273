import { subscribe } from 'node:diagnostics_channel';
import { frameworks } from './frameworks/all.ts';
import type { DeclaredRoute, FrameworkHooks, RawRequest } from './frameworks/framework.ts';
import { Guard } from './guard.ts';
import { Inventory } from './inventory.ts';
import { limits } from './limits.ts';
import { listenToHttp1 } from './request/http1.ts';
import { listenToHttp2 } from './request/http2.ts';
import { type Ending, type RequestRecord, recordOf } from './request/request-record.ts';
import { HeadSampling, responseHeadersOf } from './request/response-headers.ts';
import {
  type Environment,
  logToStandardError,
  type RequestHooks,
  type RollcallOptions,
  requestHooks,
} from './settings.ts';
import type { ServerSpans } from './span/server-spans.ts';

type RouteReader = (request: RawRequest) => string | undefined;

/**
 * Lean mode: one SERVER span for each request, with its route. It subscribes to Node's diagnostics channels at the
 * start. OpenTelemetry's packages are loaded when the first server listens: a process without a server never loads them.
 */
export class Lean {
  readonly #env: Environment;
  readonly #log: (line: string) => void;
  readonly #guard: Guard;
  readonly #inventory: Inventory;
  readonly #heads = new HeadSampling();
  readonly #readers: RouteReader[] = [];
  readonly #errorReaders: ((request: RawRequest) => unknown)[] = [];
  readonly #loading: Promise<unknown>[] = [];
  readonly #listeners: ((server: object) => void)[] = [];
  #options: RollcallOptions;
  #hooks: RequestHooks;
  #spans: ServerSpans | undefined;
  #isBroken = false;
  #whenServing: (() => void) | undefined;

  constructor(options: RollcallOptions, env: Environment) {
    this.#options = options;
    this.#env = env;
    this.#log = options.log ?? logToStandardError;
    this.#hooks = requestHooks(options, this.#log);
    this.#guard = new Guard(this.#log);
    this.#inventory = new Inventory((parts) => this.#serverSpans()?.declare(parts), this.#log);
  }

  start(): void {
    const listener = {
      ignores: (request: RawRequest) => this.#ignores(request),
      ended: (record: RequestRecord, ending: Ending) => this.#ended(record, ending),
    };
    for (const framework of frameworks) {
      this.#guard.run(framework.name, () => framework.attach(this.#frameworkHooks()));
    }
    listenToHttp1(listener, this.#guard);
    subscribe('tracing:net.server.listen:asyncStart', (message) => {
      const { server } = message as { server: object };
      this.#guard.run('a server that listens', () => listenToHttp2(server, listener, this.#guard));
      for (const callback of this.#listeners) {
        this.#guard.run('reading routes', () => callback(server));
      }
      this.#whenServing?.();
      this.#whenServing = undefined;
      // After the app's own work of this turn, and before its first request.
      setImmediate(() => this.#serverSpans()).unref();
    });
  }

  /** `startRollcall` after `register`: hooks change at once, other options only before a server listens. */
  configure(options: RollcallOptions): void {
    this.#options = { ...this.#options, ...options };
    this.#hooks = requestHooks(this.#options, this.#log);
    const { serviceName, serviceVersion, endpoint, key } = options;
    const isLate = [serviceName, serviceVersion, endpoint, key].some(
      (value) => value !== undefined,
    );
    if (this.#spans !== undefined && isLate) {
      this.#log(
        'serviceName, serviceVersion, endpoint and key must be set before a server listens',
      );
    }
  }

  /** As `SpanQueue.flush`. */
  async flush(deadlineMs: number): Promise<void> {
    this.#inventory.flush();
    await this.#spans?.queue.flush(deadlineMs);
  }

  /** Resolves when modules of frameworks that are to be watched have been loaded. */
  async ready(): Promise<void> {
    await Promise.allSettled(this.#loading);
  }

  whenServing(callback: () => void): void {
    this.#whenServing = callback;
  }

  /** Spans in the queue. */
  get queued(): number {
    return this.#spans?.queue.queued ?? 0;
  }

  /** The process ends. */
  close(handsOver: boolean): void {
    if (handsOver) this.#inventory.flush();
    this.#spans?.queue.close(handsOver);
  }

  async shutdown(): Promise<void> {
    this.#inventory.flush();
    await this.#spans?.queue.shutdown();
  }

  #ignores(request: RawRequest): boolean {
    const { ignore } = this.#hooks;
    return ignore !== undefined && this.#guard.run('ignore', () => ignore(request)) === true;
  }

  #ended(record: RequestRecord, ending: Ending): void {
    if (record.route === undefined) {
      for (const read of this.#readers) {
        record.route = this.#guard.run('reading a route', () => read(record.request));
        if (record.route !== undefined) break;
      }
    }
    const { status = 0 } = ending;
    if (status >= 500 && record.error === undefined) {
      for (const read of this.#errorReaders) {
        record.error ??= this.#guard.run('reading an error', () => read(record.request));
      }
    }
    const { consumer } = this.#hooks;
    const name =
      consumer === undefined
        ? undefined
        : this.#guard.run('consumer', () => consumer(record.request));
    const isName = typeof name === 'string' && name !== '';
    const consumed = isName ? name.slice(0, limits.headerCharacters) : undefined;
    const { response, method, route } = record;
    const headers =
      response === undefined
        ? ending.headers
        : responseHeadersOf(response, this.#heads.isRead(method, route));
    this.#serverSpans()?.add(record, ending, headers, this.#hooks, consumed);
  }

  #serverSpans(): ServerSpans | undefined {
    if (this.#spans !== undefined || this.#isBroken) return this.#spans;
    try {
      const module = require('./span/server-spans.js') as typeof import('./span/server-spans.ts');
      this.#spans = new module.ServerSpans(this.#options, this.#env, this.#log);
    } catch (error) {
      this.#isBroken = true;
      this.#guard.report('starting OpenTelemetry', error);
    }
    return this.#spans;
  }

  #frameworkHooks(): FrameworkHooks {
    return {
      route: (request, template) => {
        const record = recordOf(request);
        if (record !== undefined) record.route = template;
      },
      readRoute: (read) => void this.#readers.push(read),
      readError: (read) => void this.#errorReaders.push(read),
      loading: (work) => void this.#loading.push(work),
      error: (request, error) => {
        const record = recordOf(request);
        if (record !== undefined) record.error ??= error;
      },
      declared: (routes: readonly DeclaredRoute[]) => this.#inventory.declare(routes),
      withdrawn: (routes: readonly DeclaredRoute[]) => this.#inventory.withdraw(routes),
      listening: (callback) => void this.#listeners.push(callback),
    };
  }
}
