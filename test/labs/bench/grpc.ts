import { startCollectorProcess } from '../../support/process.ts';
import { openGrpc, sendGrpc } from '../load/grpc-call.ts';
import { BodySource, type PayloadName } from '../load/payload.ts';
import { connections, postTraces } from '../load/post.ts';
import { type BenchFolder, newStore } from './folder.ts';
import { runLoad } from './load.ts';
import type { Load, Loaded } from './loader.ts';
import { cpuSeconds, settle } from './process-cost.ts';

/** The same load over HTTP and over gRPC, by turns on one collector: what the transport alone costs. */
export interface TransportCost {
  transport: Transport;
  spans: number;
  cpuSeconds: number;
  /** One of each round, to see how far they lie apart. */
  cpuPerMillionSpans: number[];
  loadSeconds: number;
  latenciesMs: number[];
  refused: Record<string, number>;
}

export type Transport = NonNullable<Load['transport']>;

export interface TransportOptions {
  payload: PayloadName;
  connections: number;
  /** Length of one turn of one transport. */
  seconds: number;
  rounds: number;
  transports: readonly Transport[];
}

export async function measureTransports(
  folder: BenchFolder,
  options: TransportOptions,
): Promise<TransportCost[]> {
  const { payload, rounds, seconds, transports } = options;
  const collector = await startCollectorProcess(newStore(folder, `transports-${payload}`));
  const { pid, url, grpcUrl } = collector;
  const load = (transport: Transport, seed: number, lengthS: number): Promise<Loaded> =>
    runLoad({
      url: transport === 'http' ? url : grpcUrl,
      transport,
      payload,
      connections: options.connections,
      seed,
      seconds: lengthS,
    });
  const costs = transports.map((transport) => emptyCost(transport));
  try {
    for (const transport of transports) await load(transport, 1, warmUpS);
    for (let round = 0; round < rounds; round += 1) {
      // Whoever was last in one round is first in the next, so that neither profits from the other's end.
      const turns = round % 2 === 0 ? costs : costs.toReversed();
      for (const cost of turns) {
        await settle(pid);
        const before = cpuSeconds(pid);
        const loaded = await load(cost.transport, 2 + round, seconds);
        await settle(pid);
        addTurn(cost, cpuSeconds(pid) - before, loaded);
      }
    }
  } finally {
    await collector.stop();
  }
  for (const { latenciesMs } of costs) latenciesMs.sort((a, b) => a - b);
  return costs;
}

const warmUpS = 3;

function emptyCost(transport: Transport): TransportCost {
  return {
    transport,
    spans: 0,
    cpuSeconds: 0,
    cpuPerMillionSpans: [],
    loadSeconds: 0,
    latenciesMs: [],
    refused: {},
  };
}

function addTurn(cost: TransportCost, cpu: number, loaded: Loaded): void {
  cost.spans += loaded.spans;
  cost.cpuSeconds += cpu;
  cost.cpuPerMillionSpans.push((cpu / loaded.spans) * 1e6);
  cost.loadSeconds += loaded.seconds;
  cost.latenciesMs.push(...loaded.latenciesMs);
  for (const [status, count] of Object.entries(loaded.refused)) {
    cost.refused[status] = (cost.refused[status] ?? 0) + count;
  }
}

export interface LargeCost {
  transport: 'http' | 'grpc';
  bytes: number;
  /** Of the collector, a message. */
  cpuSeconds: number;
  /** Until each was acknowledged. */
  elapsedMs: number[];
}

/** Messages just below 64 MiB, one at a time. */
export async function measureLargeTransports(
  folder: BenchFolder,
  rounds: number,
): Promise<LargeCost[]> {
  const collector = await startCollectorProcess(newStore(folder, 'transports-large'));
  const { pid, url, grpcUrl } = collector;
  const source = new BodySource('server', 7);
  const agent = connections(1);
  const grpc = await openGrpc(grpcUrl);
  const costs: LargeCost[] = (['http', 'grpc'] as const).map((transport) => ({
    transport,
    bytes: 0,
    cpuSeconds: 0,
    elapsedMs: [],
  }));
  const send = async (transport: 'http' | 'grpc', bytes: Buffer): Promise<void> => {
    if (transport === 'http') {
      const { status } = await postTraces(url, agent, bytes);
      if (status !== 200) throw new Error(`${bytes.length} bytes over HTTP: ${status}`);
    } else {
      const { code, message } = await sendGrpc(grpc, bytes);
      if (code !== 0) throw new Error(`${bytes.length} bytes over gRPC: ${code} ${message}`);
    }
  };
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const cost of round % 2 === 0 ? costs : costs.toReversed()) {
        const bytes = largeMessage(source);
        cost.bytes = bytes.length;
        await settle(pid);
        const before = cpuSeconds(pid);
        const fromMs = performance.now();
        await send(cost.transport, bytes);
        const elapsedMs = performance.now() - fromMs;
        await settle(pid);
        // The first round warms both up.
        if (round === 0) continue;
        cost.cpuSeconds += (cpuSeconds(pid) - before) / rounds;
        cost.elapsedMs.push(elapsedMs);
      }
    }
  } finally {
    agent.destroy();
    grpc.session.destroy();
    await collector.stop();
  }
  return costs;
}

/** Of many bodies: messages put one behind the other are one message. */
function largeMessage(source: BodySource): Buffer {
  const bodies: Buffer[] = [];
  for (let bytes = 0; bytes < largeBytesLeast; ) {
    const body = source.next(0, BigInt(Date.now()) * 1_000_000n).bytes;
    bodies.push(Buffer.from(body));
    bytes += body.length;
  }
  return Buffer.concat(bodies);
}

const largeBytesLeast = 63 * 2 ** 20;
