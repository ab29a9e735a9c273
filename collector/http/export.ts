import type { IncomingMessage } from 'node:http';
import type { Http2Stream } from 'node:http2';
import { credentialsOf } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { connectionOf, cutShort } from '../../core/server/web-server.ts';
import type { Encoding, PartialSuccess, Signal } from '../otlp/responses.ts';
import {
  type Body,
  type BodyOptions,
  checkDeclared,
  codecOf,
  Gone,
  guarded,
  type Intake,
  openIntake,
} from '../request/body.ts';
import { type ExportContext, takeBody } from '../request/request.ts';

/** Signals by path. Exporters use a traces endpoint as it is written, possibly without a path (H8). */
const exportPaths = new Map<string, Signal>([
  ['/', 'traces'],
  ['/v1/traces', 'traces'],
  ['/v1/traces/', 'traces'],
  ['/v1/metrics', 'metrics'],
  ['/v1/metrics/', 'metrics'],
  ['/v1/logs', 'logs'],
  ['/v1/logs/', 'logs'],
  ['/v1development/profiles', 'profiles'],
  ['/v1development/profiles/', 'profiles'],
]);

/** What a path asks for, and whether it is written as an exporter's settings put it together by mistake. */
export interface ExportTarget {
  signal: Signal;
  isMisspelt: boolean;
}

/**
 * The signal of a path; undefined for other paths. Also of a path with empty segments, or with a signal's path
 * before it: an exporter appends `/v1/traces` to the base URL, whatever that ends with.
 */
export function exportTarget(path: string): ExportTarget | undefined {
  const known = exportPaths.get(path);
  if (known !== undefined) return { signal: known, isMisspelt: false };
  if (path.length > limits.exportPathCharacters) return undefined;
  const segments = `/${path.split('/').filter(Boolean).join('/')}`;
  const last = repeatedPath.exec(segments)?.[1];
  const signal = last === undefined ? undefined : exportPaths.get(last);
  return signal && { signal, isMisspelt: true };
}

const repeatedPath =
  /^(?:\/v1(?:\/(?:traces|metrics|logs))?)*(\/v1\/(?:traces|metrics|logs)|\/v1development\/profiles)$/;

/** What to set, for the log of whoever runs the collector. */
export function misspeltAdvice(path: string, signal: Signal): string {
  const variable = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
  return `POST ${path} is taken as ${signal}: an exporter appends the signal's path to OTEL_EXPORTER_OTLP_ENDPOINT, which is the address alone (http://HOST:4318); ${variable} is the whole URL`;
}

/** The encoding of a Content-Type, in any case and with any parameters; undefined for an unsupported one. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  if (contentType === undefined) return undefined;
  const known = encodings.get(contentType);
  if (known !== undefined) return known;
  return encodings.get(contentType.split(';', 1)[0]!.trim().toLowerCase());
}

const encodings = new Map<string, Encoding>([
  ['application/x-protobuf', 'protobuf'],
  ['application/protobuf', 'protobuf'],
  ['application/json', 'json'],
]);

/**
 * Authorizes the request, reads its body and ingests it.
 * @param begin called when the request is admitted, before its body is read
 * @returns the rejected spans, if any, when the rest is durable
 * @throws AppError, or `Gone` when the client disconnected before its body was complete
 */
export async function takeExport(
  context: ExportContext,
  request: IncomingMessage,
  signal: Signal,
  begin: () => void,
): Promise<PartialSuccess | undefined> {
  const { headers } = request;
  const credentials = credentialsOf(headers, request.socket.remoteAddress);
  const project = await context.authorizer.project(credentials, 'ingest', (name, scope) =>
    context.arrivals?.request(name, 'refused', scope),
  );
  const codec = codecOf(headers['content-encoding']);
  const encoding = encodingOf(headers['content-type']);
  if (encoding === undefined) throw new AppError('unsupported', unsupportedType);
  const declared = declaredBytes(request);
  const { bodyBytesMax: bytesMax, ingest, pool } = context;
  checkDeclared(declared, bytesMax);
  const { remoteAddress: client = '' } = request.socket;
  const sender = { connection: connectionOf(request), address: client, project };
  const share = ingest.admit(sender, declared);
  let body: Body;
  try {
    begin();
    body = await readBody(request, { codec, bytesMax, share, pool });
  } catch (error) {
    share.release();
    throw error;
  }
  return takeBody(context, { project, signal, encoding, client }, body, share);
}

const unsupportedType =
  '415 unsupported media type, supported: [application/json, application/x-protobuf]';

/** Content-Length, when there is one; the HTTP parser has made sure that it is a number. */
export function declaredBytes(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/**
 * @throws AppError `invalid`, `too_large`, `overloaded`, or `Gone` when the client went away. The rest of
 * the request is then unread: it is the caller's to discard.
 */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<Body> {
  return new Promise((resolve, reject) => {
    const intake = openIntake(options, declaredBytes(request), {
      flow: request,
      resolve,
      reject: (error) => {
        stop();
        reject(error);
      },
    });
    const stop = listen(request, intake);
  });
}

/** @returns how to stop listening */
function listen(request: IncomingMessage, { chunk, end, fail }: Intake): () => void {
  let ended = false;
  const onEnd = (): void => {
    if (cutShort(request as { stream?: Http2Stream })) return;
    ended = true;
    end();
  };
  // Not `request.complete`: a paused request whose socket closes is complete and never ends.
  const gone = (): void => {
    if (!ended) fail(new Gone('the client went away'));
  };
  const onData = guarded(chunk, fail);
  request.on('data', onData);
  request.on('end', onEnd);
  request.on('close', gone);
  // An error is followed by close; without a listener it would end the process.
  request.on('error', ignore);
  return () => {
    request.off('data', onData);
    request.off('end', onEnd);
    request.off('close', gone);
  };
}

function ignore(): void {}
