import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { isHttp2, stopSender } from '../../core/server/web-server.ts';
import { answers, contentTypes, retryAfterS, statusResponse } from '../otlp/responses.ts';
import { encodingOf } from './export.ts';

/** Answers an error, as a Status in the request's encoding where there is one. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: AppError,
  expectsContinue = false,
): void {
  // A client that waits for "100 Continue" may or may not send its body now: the connection cannot be reused.
  if (expectsContinue) response.setHeader('connection', 'close');
  const { httpStatus } = answers[error.code];
  if (httpStatus === 429 || httpStatus === 503) {
    response.setHeader('retry-after', error.retryAfterS ?? retryAfterS);
  }
  if (httpStatus === 401) response.setHeader('www-authenticate', 'Bearer realm="rollcall"');
  const encoding = encodingOf(request.headers['content-type']);
  if (httpStatus === 415 || (httpStatus === 404 && encoding === undefined)) {
    answerText(request, response, httpStatus, error.message);
  } else {
    const body = statusResponse(encoding ?? 'json', error);
    answer(request, response, httpStatus, contentTypes[encoding ?? 'json'], body);
  }
}

export function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  text: string,
): void {
  answer(request, response, httpStatus, 'text/plain', Buffer.from(text));
}

/**
 * Sends the answer. When the body was not read to its end, what follows is read and thrown away, and the
 * connection is kept only if that is little: closing on a client that still sends could cost it the answer.
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  contentType: string,
  body: Buffer,
): void {
  const toCome = bytesToCome(request);
  const unread = !request.readableEnded && !request.complete && toCome > 0;
  if (unread && toCome > limits.discardBytes) response.setHeader('connection', 'close');
  response.writeHead(httpStatus, { 'content-type': contentType, 'content-length': body.length });
  if (!unread) {
    // Without a body the answer is one write.
    if (body.length === 0 || request.method === 'HEAD') response.end();
    else response.end(body);
    return;
  }
  response.write(body);
  discardRest(request, () => {
    response.end();
    if (!request.complete) stopSender(request as { stream?: Http2Stream });
  });
}

function bytesToCome(request: IncomingMessage): number {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (length !== undefined) return Number(length);
  // In HTTP/1.1 a request with neither has no body; in HTTP/2 it may.
  return coding === undefined && !isHttp2(request) ? 0 : Number.POSITIVE_INFINITY;
}

/** Reads on until the end, for a while; then `done`, which closes the connection. */
function discardRest(request: IncomingMessage, done: () => void): void {
  const timer = setTimeout(finish, limits.discardMs);
  let bytes = 0;
  function finish(): void {
    clearTimeout(timer);
    request.off('data', count);
    request.off('end', finish);
    request.off('close', finish);
    done();
  }
  function count(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > limits.discardBytes) finish();
  }
  request.on('data', count);
  request.on('end', finish);
  request.on('close', finish);
  request.resume();
}

/** What the HTTP parser cannot read: a short answer in plain text, and the end of the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, text] = unreadable[error.code ?? ''] ?? [
    '400 Bad Request',
    'not an HTTP/1.1 request',
  ];
  const head = `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${text}`, () => socket.destroy());
}

const unreadable: Record<string, [string, string]> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `headers are larger than ${limits.headerBytes} bytes`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
  HPE_PAUSED_H2_UPGRADE: [
    '505 HTTP Version Not Supported',
    'this is OTLP over HTTP/1.1; OTLP over gRPC (HTTP/2) has a port of its own, usually 4317',
  ],
};
