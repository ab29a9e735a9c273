import { setTimeout as pause } from 'node:timers/promises';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { serverSpan } from '../../support/export-request.ts';
import { openGrpc, sendGrpc } from '../load/grpc-call.ts';
import { connections, postTraces } from '../load/post.ts';

/**
 * The process of a healthy sender: 20 requests a second of one call each, over HTTP and gRPC in turn, each when it is
 * due, whatever the answers before it take.
 */
export interface Healthy {
  otlpHttp: string;
  otlpGrpc: string;
  key: string;
  seconds: number;
}

export interface HealthySeen {
  /** Of acknowledged requests, from the moment each was due, ascending. */
  latenciesMs: number[];
  sent: number;
  acknowledged: number;
  /** Answers that tell to try again, and requests without an answer. */
  refused: number;
}

/** The service whose calls these are: it sends nothing else. */
export const healthyService = 'healthy';

const perSecond = 20;
/** An answer that takes longer is none. */
const patienceMs = 10_000;

process.once('message', (task: Healthy) => {
  send(task).then((seen) => process.send!(seen, () => process.exit()));
});

async function send({ otlpHttp, otlpGrpc, key, seconds }: Healthy): Promise<HealthySeen> {
  const agent = connections(8);
  const headers = { 'x-api-key': key };
  let grpc = await openGrpc(otlpGrpc);
  const seen: HealthySeen = { latenciesMs: [], sent: 0, acknowledged: 0, refused: 0 };
  const one = async (n: number, dueMs: number): Promise<void> => {
    const body = oneCall();
    seen.sent += 1;
    const answered =
      n % 2 === 0
        ? postTraces(otlpHttp, agent, body, headers).then(({ status }) => status === 200)
        : overGrpc(body);
    const isTaken = await Promise.race([
      answered.catch(() => false),
      pause(patienceMs, false, { ref: false }),
    ]);
    if (!isTaken) {
      seen.refused += 1;
      return;
    }
    seen.acknowledged += 1;
    seen.latenciesMs.push(performance.now() - dueMs);
  };
  const overGrpc = async (body: Buffer): Promise<boolean> => {
    if (grpc.session.destroyed || grpc.session.closed) grpc = await openGrpc(otlpGrpc);
    const answer = await sendGrpc(grpc, body, headers);
    return answer.code === 0;
  };
  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let n = 0; n < seconds * perSecond; n += 1) {
    const dueMs = startMs + (n * 1000) / perSecond;
    await pause(Math.max(0, dueMs - performance.now()));
    all.push(one(n, dueMs));
  }
  await Promise.all(all);
  seen.latenciesMs.sort((a, b) => a - b);
  return seen;
}

function oneCall(): Buffer {
  const attributes = [{ key: 'service.name', value: healthyService }];
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans: [serverSpan()] }] }]);
}
