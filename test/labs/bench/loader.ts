import { Random } from '../../../core/random.ts';
import { type GrpcConnection, openGrpc, sendGrpc } from '../load/grpc-call.ts';
import { BodySource, type PayloadName } from '../load/payload.ts';
import { connections, postTraces } from '../load/post.ts';

/**
 * The process that sends. It is told what to do by one message from its parent and answers with one.
 * Every body is distinct and its calls end now.
 */
export interface Load {
  /** Of the door for the transport. */
  url: string;
  /** HTTP unless told: gRPC with a connection each, or all as streams of one connection. */
  transport?: 'http' | 'grpc' | 'grpc-streams';
  payload: PayloadName;
  seed: number;
  connections: number;
  seconds: number;
  /** Bodies a second, arriving at random, whether or not earlier ones are answered. Without it every
   *  connection sends its next body as soon as the last one is answered. */
  bodiesPerS?: number;
}

export interface Loaded {
  /** Acknowledged. */
  bodies: number;
  spans: number;
  servers: number;
  bytes: number;
  seconds: number;
  /** Other answers, by HTTP status or grpc-status. */
  refused: Record<string, number>;
  /** From the moment a body was due until its acknowledgement, ascending. */
  latenciesMs: number[];
}

process.once('message', (load: Load) => {
  run(load).then((loaded) => process.send!(loaded, () => process.disconnect()));
});

async function run(load: Load): Promise<Loaded> {
  const source = new BodySource(load.payload, load.seed);
  const sender = await openSender(load);
  const loaded: Loaded = {
    bodies: 0,
    spans: 0,
    servers: 0,
    bytes: 0,
    seconds: 0,
    refused: {},
    latenciesMs: [],
  };
  const send = async (connection: number, dueMs: number): Promise<void> => {
    const { bytes, template } = source.next(connection, BigInt(Date.now()) * 1_000_000n);
    const fromMs = Math.min(dueMs, performance.now());
    const refusal = await sender.send(connection, bytes);
    if (refusal !== undefined) {
      loaded.refused[refusal] = (loaded.refused[refusal] ?? 0) + 1;
      await delay(100);
      return;
    }
    loaded.bodies += 1;
    loaded.spans += template.spans;
    loaded.servers += template.servers;
    loaded.bytes += bytes.length;
    loaded.latenciesMs.push(performance.now() - fromMs);
  };
  const startMs = performance.now();
  const endMs = startMs + load.seconds * 1000;
  const each = (one: (connection: number) => Promise<void>) =>
    Promise.all(Array.from({ length: load.connections }, (_, connection) => one(connection)));
  if (load.bodiesPerS === undefined) {
    await each(async (connection) => {
      while (performance.now() < endMs) await send(connection, performance.now());
    });
  } else {
    const arrival = arrivals(startMs, load.bodiesPerS, new Random(load.seed));
    await each(async (connection) => {
      // Whichever connection is free takes the next arrival; what is overdue goes at once.
      for (let dueMs = arrival(); dueMs < endMs; dueMs = arrival()) {
        await delay(dueMs - performance.now());
        await send(connection, dueMs);
      }
    });
  }
  loaded.seconds = (performance.now() - startMs) / 1000;
  loaded.latenciesMs.sort((a, b) => a - b);
  sender.close();
  return loaded;
}

interface Sender {
  /** @returns the status when it was not acknowledged */
  send(connection: number, bytes: Buffer): Promise<number | undefined>;
  close(): void;
}

async function openSender(load: Load): Promise<Sender> {
  const { url, transport = 'http' } = load;
  if (transport === 'http') {
    const agent = connections(load.connections);
    return {
      async send(_, bytes) {
        const { status } = await postTraces(url, agent, bytes);
        return status === 200 ? undefined : status;
      },
      close: () => agent.destroy(),
    };
  }
  const opened: GrpcConnection[] = [];
  const count = transport === 'grpc' ? load.connections : 1;
  for (let n = 0; n < count; n += 1) opened.push(await openGrpc(url));
  return {
    async send(connection, bytes) {
      const { code } = await sendGrpc(opened[connection % count]!, bytes);
      return code === 0 ? undefined : code;
    },
    close: () => {
      for (const { session } of opened) session.destroy();
    },
  };
}

/** Times of a Poisson process. */
function arrivals(startMs: number, perS: number, random: Random): () => number {
  let dueMs = startMs;
  return () => {
    dueMs += (-Math.log(1 - random.next()) * 1000) / perS;
    return dueMs;
  };
}

function delay(ms: number): Promise<void> {
  return ms < 1 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
