import type { ServerResponse } from 'node:http';
import {
  type Format,
  type FormatName,
  formats,
  type List,
  type ListBody,
} from '../query/formats.ts';
import type { ApiRequest } from './handler.ts';

/** Writes answers: a body in the format of the request, with the headers that belong to it. */

/** @param list absent for an answer that is JSON only */
export function sendAnswer(
  request: ApiRequest,
  response: ServerResponse,
  status: number,
  body: object,
  {
    name,
    list,
    format = 'json',
  }: { name: string; list?: List | undefined; format?: FormatName | undefined },
): void {
  linkNext(request, response, body);
  const { contentType, extension, write }: Format = formats[format];
  if (extension !== undefined) {
    response.setHeader(
      'Content-Disposition',
      `attachment; filename="${fileName(name, body)}.${extension}"`,
    );
  }
  const text = list ? write(body as ListBody, list) : JSON.stringify(body);
  send(response, status, contentType, text);
}

/** `rollcall-report-2026-03-18`: the query and the day of the answer. */
function fileName(name: string, body: { generated_at?: string }): string {
  const day = body.generated_at?.slice(0, 10);
  return day === undefined ? `rollcall-${name}` : `rollcall-${name}-${day}`;
}

/**
 * A table has no field for the cursor, so that a header leads to the next page (RFC 8288). The reference is
 * relative to the request's own URL: it holds below any prefix that a proxy adds.
 */
function linkNext(
  { url }: ApiRequest,
  response: ServerResponse,
  body: { next_cursor?: string | null },
): void {
  if (!body.next_cursor) return;
  const { searchParams } = new URL(url, 'http://analyzer');
  searchParams.set('cursor', body.next_cursor);
  response.setHeader('Link', `<?${searchParams}>; rel="next"`);
}

/** Node leaves the body out of an answer to HEAD and keeps its length. */
export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Buffer,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length });
  response.end(bytes);
}
