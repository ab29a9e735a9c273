import { request } from 'node:http';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { jsonType, protobufType, traces } from '../../support/export-request.ts';
import { startCollectorProcess } from '../../support/process.ts';
import { cpuSeconds, memory } from '../bench/process-cost.ts';
import { type Construction, constructions } from './construction.ts';

/**
 * Sends bodies that are cheap to send and dear to take, one at a time, to a collector of its own, beside a
 * healthy sender of 20 requests a second. What they cost is counted in CPU seconds of the collector's process.
 */
export interface AmplificationOptions {
  storePath: string;
  /** Bytes of a body before compression, of each size in turn. */
  sizes: readonly number[];
  packings: readonly Packing[];
  /** Only constructions whose name holds this. */
  only?: string;
  /** Told of each result as it comes. */
  report: (result: Amplified) => void;
}

export interface Amplified {
  name: string;
  packing: Packing;
  /** Before compression, and on the wire. */
  bytes: number;
  wireBytes: number;
  status: number | undefined;
  cpuS: number;
  rssMiB: number;
  /** Of the healthy sender meanwhile. */
  slowestMs: number;
  refused: number;
}

export type Packing = 'identity' | 'gzip' | 'zstd' | 'br';

const packers: Record<Packing, (bytes: Buffer) => Buffer> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes, { level: 4 }),
  zstd: (bytes) => zstdCompressSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
};

export async function runAmplification(options: AmplificationOptions): Promise<Amplified[]> {
  const { storePath, sizes, packings, only = '', report } = options;
  const collector = await startCollectorProcess(storePath);
  const results: Amplified[] = [];
  try {
    for (const construction of constructions.filter(({ name }) => name.includes(only))) {
      for (const size of sizes) {
        const built = construction.build(size);
        for (const packing of packings) {
          const body = packers[packing](built);
          const found = await one(collector, construction, packing, body);
          const result = { name: construction.name, packing, bytes: built.length, ...found };
          results.push(result);
          report(result);
        }
      }
    }
  } finally {
    await collector.stop();
  }
  return results;
}

async function one(
  { url, pid }: { url: string; pid: number },
  { encoding }: Construction,
  packing: Packing,
  body: Buffer,
): Promise<Omit<Amplified, 'name' | 'packing' | 'bytes'>> {
  const healthy = { slowestMs: 0, refused: 0 };
  const waiting: Promise<void>[] = [];
  const timer = setInterval(() => waiting.push(healthyRequest(url, healthy)), 50);
  await healthyRequest(url, healthy);
  healthy.slowestMs = 0;
  const before = cpuSeconds(pid);
  const headers = {
    'content-type': encoding === 'json' ? jsonType : protobufType,
    ...(packing === 'identity' ? {} : { 'content-encoding': packing }),
  };
  const status = await post(url, body, headers).catch(() => undefined);
  clearInterval(timer);
  await Promise.all(waiting);
  const cpuS = cpuSeconds(pid) - before;
  return { wireBytes: body.length, status, cpuS, rssMiB: memory(pid).rssMiB, ...healthy };
}

async function healthyRequest(
  url: string,
  seen: { slowestMs: number; refused: number },
): Promise<void> {
  const beganMs = performance.now();
  const status = await post(url, traces(1), { 'content-type': protobufType }).catch(() => 0);
  seen.slowestMs = Math.max(seen.slowestMs, performance.now() - beganMs);
  if (status !== 200) seen.refused += 1;
}

function post(url: string, body: Buffer, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL('/v1/traces', url),
      { method: 'POST', agent: false, headers: { ...headers, 'content-length': body.length } },
      (answer) => {
        answer.resume().on('end', () => {
          resolve(answer.statusCode ?? 0);
          if (!sent.writableFinished) sent.destroy();
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
