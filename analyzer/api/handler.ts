import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that a route matched: Node's own, of HTTP/1.1 or HTTP/2, with the parameters of its path. */
export type ApiRequest = IncomingMessage & { url: string; params: Record<string, string> };

export type Handler = (request: ApiRequest, response: ServerResponse) => void | Promise<void>;
