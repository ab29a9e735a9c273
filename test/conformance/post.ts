import { inTime } from './check.ts';
import { type Answer, exchange, type Post } from './exchange.ts';

/** One export request over HTTP to a server that may hang. @throws Difference when no answer comes */
export function post(
  { httpUrl }: { httpUrl: string },
  body: Uint8Array | string,
  options: Post = {},
): Promise<Answer> {
  return inTime(exchange(httpUrl, body, options), 'an answer', 60_000);
}
