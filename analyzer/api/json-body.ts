import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Share } from '../../core/server/byte-budget.ts';
import { ChunkSizes } from '../../core/server/chunk-sizes.ts';
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
 * @param share counts the bytes that came, where bodies are large
 * @throws AppError `too_large` beyond `bytesMax`; `invalid` for a body in tiny chunks; `overloaded` when the share cannot
 *   grow or is lost
 */
export function readText(
  request: IncomingMessage,
  bytesMax: number = limits.commandBytes,
  share?: Share,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const body = new CollectedBody(bytesMax);
  const end = (): void => {
    request.off('data', take).pause();
    share?.whole();
    if (body.bytes <= bytesMax) resolve(body.text());
    else {
      const message = `the body has more than ${bytesMax} bytes, the bound of this command`;
      reject(new AppError('too_large', message));
    }
  };
  const fail = (error: unknown): void => {
    request.off('data', take).pause();
    reject(error);
  };
  const take = (part: Buffer): void => {
    try {
      if (body.bytes + part.length <= bytesMax) share?.grow(part.length);
      body.add(part);
      if (body.bytes > Math.max(limits.discardBytes, bytesMax)) end();
    } catch (error) {
      fail(error);
    }
  };
  share?.whenLost(fail);
  request.on('data', take).once('end', end).once('error', fail);
  request.once('close', () => fail(new AppError('invalid', 'the body ended before it was whole')));
  return promise;
}

/** One body in one buffer: chunks of a byte would take a hundred times as much memory each for itself. */
class CollectedBody {
  readonly #bytesMax: number;
  readonly #chunks = new ChunkSizes();
  #buffer = Buffer.alloc(0);
  /** All that came, also those beyond the bound, which are not kept. */
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws AppError `invalid` when chunks are tiny on average */
  add(chunk: Buffer): void {
    const end = this.bytes + chunk.length;
    this.#chunks.add(chunk.length);
    if (end <= this.#bytesMax) {
      this.#reserve(end);
      chunk.copy(this.#buffer, this.bytes);
    }
    this.bytes = end;
  }

  text(): string {
    return this.#buffer.toString('utf8', 0, this.bytes);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const wanted = Math.max(bytes, this.#buffer.length * 2, firstBytes);
    const next = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(this.#bytesMax, bytes)));
    this.#buffer.copy(next, 0, 0, this.bytes);
    this.#buffer = next;
  }
}

const firstBytes = 4 * 1024;
