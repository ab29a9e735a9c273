import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { jsonInput } from '../query/json-input.ts';

/**
 * Reads a small JSON body and checks it: unknown and wrong fields are refused by name.
 * @throws AppError `unsupported` for another type, `too_large` beyond `limits.commandBytes`, `invalid`
 */
export async function readJsonBody<S extends z.ZodRawShape>(
  request: IncomingMessage,
  schema: z.ZodObject<S>,
): Promise<z.output<z.ZodObject<S>>> {
  // Also blocks forms of other sites: a browser sends JSON to another origin only after a preflight.
  if (!/^application\/json(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new AppError('unsupported', 'the body must be JSON, with Content-Type: application/json');
  }
  return jsonInput(schema, await readText(request));
}

/**
 * Reads on past the bound without keeping it, so that the sender sees the answer.
 * @throws AppError `too_large` beyond `bytesMax`
 */
export async function readText(
  request: IncomingMessage,
  bytesMax: number = limits.commandBytes,
): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > Math.max(limits.discardBytes, bytesMax)) break;
    if (bytes <= bytesMax) parts.push(part);
  }
  if (bytes <= bytesMax) return Buffer.concat(parts).toString();
  const message = `the body has more than ${bytesMax} bytes, the bound of this command`;
  throw new AppError('too_large', message);
}
