import { constants, type ServerHttp2Stream } from 'node:http2';
import { failureTrailers } from './status.ts';

/** Answers a call that succeeded: a message, even an empty one, and only then the status (G3). */
export function reply(stream: ServerHttp2Stream, message: Buffer): void {
  if (!isOpen(stream)) return;
  beginReply(stream);
  endReply(stream, framed(message));
}

/** Begins an answer of several messages, each to be written `framed`. */
export function beginReply(stream: ServerHttp2Stream): void {
  stream.respond(replyHeaders, { waitForTrailers: true });
}

/** Ends a response that was begun; OK by default. */
export function endReply(stream: ServerHttp2Stream, frame: Buffer, failure?: Error): void {
  const trailers = failure === undefined ? okTrailers : failureTrailers(failure);
  stream.once('wantTrailers', () => {
    if (isOpen(stream)) stream.sendTrailers(trailers);
  });
  stream.end(frame);
}

/** Answers a call that failed, in headers alone. */
export function refuseRpc(stream: ServerHttp2Stream, error: Error): void {
  if (!isOpen(stream)) return;
  const headers = { ...replyHeaders, ...failureTrailers(error) };
  stream.respond(headers, { endStream: true });
  stopSender(stream);
}

/** Answers a request that is not a gRPC call. */
export function refuseText(stream: ServerHttp2Stream, httpStatus: number, text: string): void {
  if (!isOpen(stream)) return;
  stream.respond({ ':status': httpStatus, 'content-type': 'text/plain' });
  stream.end(text);
  stopSender(stream);
}

/** A message as it is framed in a stream: flag and length first. */
export function framed(message: Buffer): Buffer {
  if (message.length === 0) return emptyFrame;
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}

const replyHeaders = { ':status': 200, 'content-type': 'application/grpc' };
const okTrailers = { 'grpc-status': '0' };
const emptyFrame = Buffer.alloc(5);

function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed;
}

/**
 * Resets the stream of a sender that has not sent everything. The response goes first and stays valid: a client
 * must not discard it because of this reset (RFC 9113, 8.1).
 */
function stopSender(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
