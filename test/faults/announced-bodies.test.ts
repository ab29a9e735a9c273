import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { announceOverGrpc, announceOverHttp } from '../labs/attack/announced.ts';
import { framed, openGrpc } from '../labs/load/grpc-call.ts';
import { connections, postTraces } from '../labs/load/post.ts';
import { traces } from '../support/export-request.ts';
import { startCollectorProcess, temporaryFolder } from '../support/process.ts';

/** Senders that announce the largest body there is, and send little of it. Healthy ones beside them notice nothing. */
const senders = 64;
const healthyRequests = 40;
const mib = 2 ** 20;

const folder = temporaryFolder();
let collector: Awaited<ReturnType<typeof startCollectorProcess>>;
beforeAll(async () => {
  collector = await startCollectorProcess(`${folder.path}/rollcall.db`);
});
afterAll(async () => {
  await collector.stop();
  folder.remove();
});

/** 20 requests a second over each transport. @returns their answers (200, or 0 of gRPC) and times */
async function healthy(): Promise<{ answers: (number | undefined)[]; ms: number[] }> {
  const agent = connections(1);
  const grpc = await openGrpc(collector.grpcUrl);
  const answers: (number | undefined)[] = [];
  const ms: number[] = [];
  for (let n = 0; n < healthyRequests; n += 1) {
    const beganMs = performance.now();
    answers.push(
      (await postTraces(collector.url, agent, traces(1))).status,
      (await grpc.call(framed(traces(1)))).code,
    );
    ms.push((performance.now() - beganMs) / 2);
    await pause(Math.max(0, 50 - (performance.now() - beganMs)));
  }
  agent.destroy();
  grpc.session.destroy();
  return { answers, ms: ms.sort((a, b) => a - b) };
}

test.each([
  ['nothing', 0],
  ['1 MiB', mib],
])(
  'a healthy sender beside 64 that announce 64 MiB and send %s',
  async (what, sent) => {
    const before = await healthy();
    const sockets = announceOverHttp(collector.url, senders, sent);
    const grpc = await announceOverGrpc(collector.grpcUrl, senders, sent);
    await pause(200);
    const beside = await healthy();
    for (const socket of sockets) socket.destroy();
    for (const { session } of grpc) session.destroy();
    const all = Array.from({ length: healthyRequests }, () => [200, 0]).flat();
    expect([before.answers, beside.answers]).toEqual([all, all]);
    const at = (ms: number[], part: number) => ms[Math.floor(ms.length * part)]!.toFixed(1);
    console.log(
      `${what}: p50 ${at(before.ms, 0.5)} ms alone, ${at(beside.ms, 0.5)} beside; p99 ${at(before.ms, 0.99)} and ${at(beside.ms, 0.99)}`,
    );
  },
  60_000,
);
