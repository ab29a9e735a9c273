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

/** Ends an answer that was begun, with OK unless told otherwise. */
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

/** Answers what is no call of gRPC at all. */
export function refuseText(stream: ServerHttp2Stream, httpStatus: number, text: string): void {
  if (!isOpen(stream)) return;
  stream.respond({ ':status': httpStatus, 'content-type': 'text/plain' });
  stream.end(text);
  stopSender(stream);
}

/** A message as it stands in a stream, with flag and length in front. */
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
 * Tells a sender that has not said all yet that nobody listens. The answer goes before it, and stands: a
 * client must not drop it because of such a reset (RFC 9113, 8.1).
 */
function stopSender(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
