import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

/** A request as Node hands it to the framework; what a framework wraps it in is not meant. */
export type RawRequest = IncomingMessage | Http2ServerRequest;

/** One route as the framework declares it: `GET`, `/api/users/:id`, its mount's prefix included. */
export interface DeclaredRoute {
  readonly method: string;
  readonly route: string;
}

/**
 * What one framework tells of its requests. There is one file for each in `frameworks/`, and `frameworks/all.ts`
 * lists them.
 */
export interface Framework {
  readonly name: string;
  /**
   * Called once, before the app's own modules are loaded when `register` is used, perhaps after them when
   * `startRollcall` is called from code. Listens as little as possible: a channel of diagnostics_channel
   * rather than a patch, a reader of what is left on the request rather than a channel. What it throws is
   * caught and told as a warning; where the framework is not used, it costs nothing.
   */
  attach(hooks: FrameworkHooks): void;
}

export interface FrameworkHooks {
  /**
   * Notes the route of a request while it is handled. The last one noted counts, and wins over readers.
   * @param template with every prefix, in the framework's own spelling: `/api/users/:id`
   */
  route(request: RawRequest, template: string): void;
  /**
   * Has `read` asked at the end of requests that nobody noted a route for; readers are asked in the order
   * they came, the first answer counts. Called for every request: a property read or two, nothing more.
   * @param read undefined when the request is another framework's, or matched no route
   */
  readRoute(read: (request: RawRequest) => string | undefined): void;
  /** Notes what a handler threw. The first one noted counts, and only when the answer is 5xx or none. */
  error(request: RawRequest, error: unknown): void;
  /** Has `read` asked for what a handler threw, at the end of calls with 5xx that have no error noted. */
  readError(read: (request: RawRequest) => unknown): void;
  /** Has `work` waited for by `--import`, before the app's own modules are loaded; `--require` cannot wait. */
  loading(work: Promise<unknown>): void;
  /** Declares routes as they become known, one call or many; those declared before are ignored. */
  declared(routes: readonly DeclaredRoute[]): void;
  /** Declared by mistake: no request can come by these. They stay out when they are declared again. */
  withdrawn(routes: readonly DeclaredRoute[]): void;
  /**
   * Calls back with every server that begins to listen (node:http, https, http2; Node's channel
   * `tracing:net.server.listen`): a way to an app and its router without a patch, since the app is often
   * `server.listeners('request')[0]`. Servers that listened before are not seen.
   */
  listening(callback: (server: object) => void): void;
}
