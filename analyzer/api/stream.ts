import type { ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { WrittenAnswer } from '../query/written-answer.ts';
import { sendAnswer } from './answer.ts';
import { acceptedCodings } from './compress.ts';
import type { ApiRequest } from './handler.ts';

/** Streams under way in this process. */
let streams = 0;

/**
 * Sends a whole list: its pages one behind the other, each computed when the client has taken the one before. A
 * list of one page is an answer like others. An error after the first page ends the connection, so that no client
 * takes a part for the whole.
 * @param ask the page of a cursor; undefined when the client has left
 * @throws AppError `throttled` when too many lists are being streamed
 */
export async function sendPages(
  request: ApiRequest,
  response: ServerResponse,
  ask: (cursor: string | undefined) => Promise<WrittenAnswer | undefined>,
): Promise<void> {
  if (streams >= limits.listStreams) {
    const message = `${streams} lists are being streamed; at most ${limits.listStreams} may`;
    throw new AppError('throttled', message, { retryAfterS: 1 });
  }
  streams += 1;
  try {
    let page = await ask(undefined);
    if (page === undefined) return;
    if (page.nextCursor === undefined) return await sendAnswer(request, response, 200, page);
    response.setHeader('Content-Type', page.contentType);
    if (page.fileName !== undefined) {
      response.setHeader('Content-Disposition', `attachment; filename="${page.fileName}"`);
    }
    response.setHeader('Vary', 'Accept-Encoding, Authorization, X-Api-Key, Cookie');
    if (request.method === 'HEAD') {
      response.writeHead(200);
      response.end();
      return;
    }
    const body = openBody(request, response);
    for (;;) {
      await write(body, response, page.bytes);
      if (page.nextCursor === undefined || response.destroyed) break;
      page = await patiently(ask, page.nextCursor);
      if (page === undefined) return;
    }
    body.end();
  } finally {
    streams -= 1;
  }
}

/** What the list is written to: the response, or a compressor before it. Gzip: brotli holds much memory. */
function openBody(request: ApiRequest, response: ServerResponse): ServerResponse | Transform {
  const accepted = acceptedCodings(String(request.headers['accept-encoding'] ?? ''));
  if (!accepted.has('gzip')) {
    response.writeHead(200);
    return response;
  }
  response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200);
  const gzip = createGzip({ level: 1 });
  gzip.pipe(response);
  return gzip;
}

/** Resolves when more may be written, or the client has left. */
async function write(
  body: ServerResponse | Transform,
  response: ServerResponse,
  bytes: Uint8Array,
): Promise<void> {
  if (response.destroyed || body.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      body.off('drain', done);
      response.off('close', done);
      resolve();
    };
    body.once('drain', done);
    response.once('close', done);
  });
}

/** A full queue delays a list that has begun, and does not end it. */
async function patiently(
  ask: (cursor: string) => Promise<WrittenAnswer | undefined>,
  cursor: string,
): Promise<WrittenAnswer | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(cursor);
    } catch (error) {
      const isFull = error instanceof AppError && error.code === 'throttled';
      if (!isFull || tries === limits.streamTries) throw error;
      await pause((error.retryAfterS ?? 1) * 1000);
    }
  }
}
