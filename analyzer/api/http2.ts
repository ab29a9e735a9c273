import type { IncomingMessage, RequestListener } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import express, { type Express } from 'express';

/**
 * The app as a handler of HTTP/1.1 and HTTP/2. Express gives every request and response its own methods by
 * replacing their prototypes, which it makes of HTTP/1.1's: those of HTTP/2 get prototypes made of theirs.
 */
export function handlerOf(app: Express): RequestListener {
  const first = { request: app.request, response: app.response };
  const second = {
    request: overlaid(Http2ServerRequest.prototype, express.request, app.request),
    response: overlaid(Http2ServerResponse.prototype, express.response, app.response),
  };
  return (request: IncomingMessage, response) => {
    // Read by Express at once, before anything else can happen.
    Object.assign(app, request.httpVersionMajor === 2 ? second : first);
    app(request, response);
  };
}

/** An object that inherits from `base` and has the own members of the layers. */
function overlaid<T extends object>(base: object, ...layers: T[]): T {
  const object = Object.create(base) as T;
  for (const layer of layers)
    Object.defineProperties(object, Object.getOwnPropertyDescriptors(layer));
  return object;
}
