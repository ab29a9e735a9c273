import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { framed, type GrpcConnection, openGrpc } from '../labs/load/grpc-call.ts';
import { connections, postTraces } from '../labs/load/post.ts';
import { protobufType, traces } from '../support/export-request.ts';
import { startCollectorProcess, temporaryFolder } from '../support/process.ts';

/** Senders that announce the largest body there is, and send little of it. Healthy ones beside them notice nothing. */
const senders = 64;
const healthyRequests = 60;
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

function overHttp(sent: number): Socket[] {
  const { hostname, port } = new URL(collector.url);
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${64 * mib}\r\n\r\n`;
  return Array.from({ length: senders }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.write(head);
    if (sent > 0) socket.write(Buffer.alloc(sent));
    return socket;
  });
}

async function overGrpc(sent: number): Promise<GrpcConnection[]> {
  const announced = Buffer.from([0, 4, 0, 0, 0]);
  const opened = await Promise.all(Array.from({ length: 4 }, () => openGrpc(collector.grpcUrl)));
  for (let n = 0; n < senders; n += 1) {
    const stream = opened[n % opened.length]!.begin();
    stream.on('error', () => {});
    stream.write(announced);
    if (sent > 0) stream.write(Buffer.alloc(sent));
  }
  return opened;
}

test.each([
  ['nothing', 0],
  ['1 MiB', mib],
])(
  'a healthy sender beside 64 that announce 64 MiB and send %s',
  async (what, sent) => {
    const before = await healthy();
    const sockets = overHttp(sent);
    const grpc = await overGrpc(sent);
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
