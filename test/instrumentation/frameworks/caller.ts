import { once } from 'node:events';
import { Agent, request as requestHttp } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { RouteCase } from './cases.ts';

/** Longer than a loopback takes, shorter than the app's slow answers: then the caller hangs up. */
const patienceMs = 100;
/** Longer than an answer takes on a busy machine. */
const answerMsMost = 20_000;

/** Makes the calls of a case: over connections that are kept, but those that it breaks off itself. */
export interface Caller {
  /** @returns the status; undefined when the caller hung up before one came */
  call(one: RouteCase): Promise<number | undefined>;
  close(): void;
}

export function http1Caller(port: number): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    call: (one) => {
      const kept = one.abort === undefined ? agent : new Agent();
      return answered(one, callHttp1(port, one, kept));
    },
    close: () => agent.destroy(),
  };
}

function answered<T>(one: RouteCase, call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    late.reject(new Error(`${one.method} ${one.path}: no end within ${answerMsMost} ms`));
  }, answerMsMost);
  return Promise.race([call, late.promise]).finally(() => clearTimeout(timer));
}

function callHttp1(port: number, one: RouteCase, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { method, path } = one;
    const request = requestHttp({ agent, host: '127.0.0.1', port, method, path }, (response) => {
      const { statusCode } = response;
      response.on('error', () => resolve(statusCode));
      response.on('close', () => resolve(statusCode));
      if (one.abort === 'streaming') response.once('data', () => request.destroy());
      else response.resume();
    });
    request.on('error', (error) => (one.abort === undefined ? reject(error) : resolve(undefined)));
    if (one.abort === 'waiting') setTimeout(() => request.destroy(), patienceMs);
    request.end();
  });
}

export async function http2Caller(port: number): Promise<Caller> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  return {
    call: (one) => answered(one, callHttp2(session, one)),
    close: () => session.destroy(),
  };
}

function callHttp2(session: ClientHttp2Session, one: RouteCase): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': one.method, ':path': one.path });
    let status: number | undefined;
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('error', (error) => (one.abort === undefined ? reject(error) : undefined));
    stream.on('close', () => resolve(status));
    if (one.abort === 'streaming') stream.once('data', () => stream.close(8));
    else stream.resume();
    if (one.abort === 'waiting') setTimeout(() => stream.close(8), patienceMs);
    stream.end();
  });
}
