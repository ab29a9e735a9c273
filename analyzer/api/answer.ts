import type { ServerResponse } from 'node:http';
import type { WrittenAnswer } from '../query/written-answer.ts';
import { compressed } from './compress.ts';
import type { ApiRequest } from './handler.ts';

/**
 * Sends an answer with the headers that belong to it. Answers to GET may be kept by the client, which asks by
 * their ETag whether they still hold (304), and are compressed as the client takes it. Others may show a key:
 * they are kept by nobody.
 */
export async function sendAnswer(
  request: ApiRequest,
  response: ServerResponse,
  status: number,
  answer: WrittenAnswer,
): Promise<void> {
  const { bytes, contentType, etag, fileName, nextCursor } = answer;
  if (nextCursor !== undefined) linkNext(request, response, nextCursor);
  if (fileName !== undefined) {
    response.setHeader('Content-Disposition', `attachment; filename="${fileName}"`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, status, contentType, bytes);
    return;
  }
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'private, no-cache');
  response.setHeader('Vary', 'Accept-Encoding, Authorization, X-Api-Key, Cookie');
  if (isKnown(request.headers['if-none-match'], etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  const accept = String(request.headers['accept-encoding'] ?? '');
  const { bytes: coded, coding } = await compressed(bytes, accept);
  if (coding) response.setHeader('Content-Encoding', coding);
  send(response, status, contentType, coded);
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^(?!W\/|\*)/, 'W/'));
  return known.includes('*') || known.includes(etag);
}

/**
 * A table has no field for the cursor, so that a header leads to the next page (RFC 8288). The reference is
 * relative to the request's own URL: it holds below any prefix that a proxy adds.
 */
function linkNext({ url }: ApiRequest, response: ServerResponse, cursor: string): void {
  const { searchParams } = new URL(url, 'http://analyzer');
  searchParams.set('cursor', cursor);
  response.setHeader('Link', `<?${searchParams}>; rel="next"`);
}

/** Node leaves the body out of an answer to HEAD and keeps its length. */
export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length });
  response.end(bytes);
}
