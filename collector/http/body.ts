import type { IncomingMessage } from 'node:http';
import type { Http2Stream } from 'node:http2';
import { cutShort } from '../../core/server/web-server.ts';
import {
  type Body,
  type BodyOptions,
  Gone,
  guarded,
  type Intake,
  openIntake,
} from '../request/body.ts';

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
