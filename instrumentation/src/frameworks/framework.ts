import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

/** A request object of Node, as opposed to a framework's own. */
export type RawRequest = IncomingMessage | Http2ServerRequest;

/** A route in the framework's spelling, with the prefixes of its mounts: `GET`, `/api/users/:id`. */
export interface DeclaredRoute {
  readonly method: string;
  readonly route: string;
}

/** Reads the routes of one framework. One file each in `frameworks/`; `frameworks/all.ts` lists them. */
export interface Framework {
  readonly name: string;
  /**
   * Called once: with `register` before the app's modules are loaded, with `startRollcall` perhaps after them.
   * Prefers a property that the framework sets on the request, then a diagnostics channel, then a wrapped method.
   * Errors are caught and logged. It must cost nothing where the framework is not used.
   */
  attach(hooks: FrameworkHooks): void;
}

export interface FrameworkHooks {
  /**
   * Sets the route of a request while it is handled. The last one counts, and readers are not called.
   * @param template with every prefix, in the framework's own spelling: `/api/users/:id`
   */
  route(request: RawRequest, template: string): void;
  /**
   * Adds a reader, called at the end of each request that has no route yet. Readers are called in the order they were
   * added; the first route counts. It runs for every request: a property read or two, nothing more.
   * @param read undefined when the request is another framework's, or matched no route
   */
  readRoute(read: (request: RawRequest) => string | undefined): void;
  /** Sets the error that a handler threw. The first one counts, for a status of 5xx or an aborted request. */
  error(request: RawRequest, error: unknown): void;
  /** Adds a reader of the thrown error, called at the end of a request with 5xx that has no error yet. */
  readError(read: (request: RawRequest) => unknown): void;
  /** `--import` waits for `work` before the app's modules are loaded; `--require` cannot wait. */
  loading(work: Promise<unknown>): void;
  /** Declares routes when they become known. Routes that were declared before are ignored. */
  declared(routes: readonly DeclaredRoute[]): void;
  /** Removes declared routes that no request can match. They are also ignored when declared again. */
  withdrawn(routes: readonly DeclaredRoute[]): void;
  /**
   * Calls back with each server that begins to listen (node:http, https, http2; channel `tracing:net.server.listen`).
   * Its `request` listener is often the app, which needs no patch then. Servers that listened before are not seen.
   */
  listening(callback: (server: object) => void): void;
}
