import { limits } from '../../../core/limits.ts';
import { startCollectorProcess } from '../../support/process.ts';
import { BodySource, type PayloadName } from '../load/payload.ts';
import { connections, postTraces } from '../load/post.ts';
import { type BenchFolder, newStore } from './folder.ts';
import { runLoad } from './load.ts';

/** What messages of the largest size do to small ones (docs/conformance.md L2). */
export interface LargeCost {
  /** Acknowledgement of small messages, ascending, with nothing else under way. */
  aloneMs: number[];
  /** The same while one large message after another was being taken. */
  besideMs: number[];
  largeMs: number[];
  largeBytes: number;
}

const smallPerS = 50;

export async function measureLarge(
  folder: BenchFolder,
  { payload, seconds }: { payload: PayloadName; seconds: number },
): Promise<LargeCost> {
  const collector = await startCollectorProcess(newStore(folder, `large-${payload}`));
  const agent = connections(1);
  try {
    const url = collector.addresses.otlp_http!;
    const small = { url, payload: 'mixed' as const, connections: 8, bodiesPerS: smallPerS };
    await runLoad({ ...small, seed: 1, seconds: 2 });
    const alone = await runLoad({ ...small, seed: 2, seconds });
    let ended = false;
    const beside = runLoad({ ...small, seed: 3, seconds }).finally(() => {
      ended = true;
    });
    const source = new BodySource(payload, 4);
    const largeMs: number[] = [];
    let largeBytes = 0;
    while (!ended) {
      const body = largest(source);
      const startMs = performance.now();
      const { status } = await postTraces(url, agent, body);
      if (status !== 200) throw new Error(`a body of ${body.length} bytes was answered ${status}`);
      largeMs.push(performance.now() - startMs);
      largeBytes = body.length;
    }
    return {
      aloneMs: alone.latenciesMs,
      besideMs: (await beside).latenciesMs,
      largeMs,
      largeBytes,
    };
  } finally {
    agent.destroy();
    await collector.stop();
  }
}

/** Requests one behind the other are one request. As many as the bound allows. */
function largest(source: BodySource): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const body = Buffer.from(source.next(0, BigInt(Date.now()) * 1_000_000n).bytes);
    if (bytes + body.length > limits.bodyBytes) return Buffer.concat(parts);
    parts.push(body);
    bytes += body.length;
  }
}
