import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openGrpcServer } from '../../../collector/grpc/server.ts';
import { openHttpServer } from '../../../collector/http/server.ts';
import { AppError } from '../../../core/error.ts';
import { openLog } from '../../../core/log.ts';
import { exchange } from '../../conformance/exchange.ts';
import { partialOf } from '../../conformance/export-answer.ts';
import { framed, type GrpcConnection, openGrpc } from '../../labs/load/grpc-call.ts';
import { callTo, copiesOf, encodeSpans, serverSpan } from '../../support/export-request.ts';
import { waitFor } from '../../support/wait.ts';
import { exportContext } from '../support/export-context.ts';
import { HeldWriter } from '../support/held-writer.ts';

/** Answers to messages whose commits are held: none is sent before the last slice is committed. */
let writer: HeldWriter;
let url: string;
let grpc: GrpcConnection;
let close: () => Promise<unknown>;

async function open(): Promise<void> {
  const log = openLog('test', 'silent');
  const options = { ...exportContext(writer), host: '127.0.0.1', port: 0, log };
  const http = await openHttpServer(options);
  const server = await openGrpcServer(options);
  url = http.url;
  grpc = await openGrpc(server.url);
  close = async () => {
    grpc.session.destroy();
    await Promise.all([http.close(100), server.close(100), options.largeJson.close()]);
  };
}

beforeEach(async () => {
  writer = new HeldWriter();
  await open();
});
afterEach(() => close());

/** Of the batches from a number on. */
function digestsOf(from: number): string[] {
  const deliveries = writer.appended.slice(from).flatMap(({ batch }) => batch.deliveries);
  return deliveries.map(({ digest }) => Buffer.from(digest).toString('hex'));
}

/** 26,000 calls in 4 slices of up to 1 MiB; a span without an id stands first, and another last. */
function largeMessage(): Buffer {
  const spans = copiesOf(serverSpan({ attributes: callTo('/large') }), 26_000);
  const nameless = () => serverSpan({ spanId: Buffer.alloc(3, 1) });
  return encodeSpans([nameless(), ...spans, nameless()]);
}

/** What a sender is told: 200 and 0 of gRPC are success. */
interface Told {
  code: number;
  said: Buffer;
}

const doors: Record<string, (message: Buffer) => Promise<Told & { rejected: string | undefined }>> =
  {
    HTTP: async (message) => {
      const answer = await exchange(url, message);
      const rejected = answer.status === 200 ? partialOf(answer)?.rejected : undefined;
      return { code: answer.status, said: answer.body, rejected };
    },
    gRPC: async (message) => {
      const { code = -1, data } = await grpc.call(framed(message));
      const body = data.subarray(5);
      const headers = { 'content-type': 'application/x-protobuf' };
      const rejected =
        code === 0 ? partialOf({ status: 200, headers, body } as never)?.rejected : undefined;
      return { code, said: data, rejected };
    },
  };

describe.each(Object.keys(doors))('over %s', (door) => {
  test('a large message is answered after the commit of its last slice, not before', async () => {
    let told: Told | undefined;
    const answer = doors[door]!(largeMessage()).then((said) => {
      told = said;
      return said;
    });
    for (let slice = 0; slice < 3; slice += 1) {
      await writer.settle(slice);
      await pause(30);
      expect(told, `answered after slice ${slice}`).toBeUndefined();
    }
    await waitFor('the last slice', () => writer.appended.length === 4);
    await pause(30);
    expect(told).toBeUndefined();
    await writer.settle(3);
    const { code, rejected } = await answer;
    expect([code, rejected]).toEqual([door === 'HTTP' ? 200 : 0, '2']);
    expect(writer.appended.reduce((sum, { batch }) => sum + batch.length, 0)).toBe(26_000);
    // Each slice is a delivery of its own: a repetition counts those that were not committed.
    expect(new Set(digestsOf(0)).size).toBe(4);
  });

  test('a large message whose last slice is not committed must be sent again', async () => {
    const message = largeMessage();
    const answer = doors[door]!(message);
    for (let slice = 0; slice < 3; slice += 1) await writer.settle(slice);
    await writer.settle(3, new AppError('unavailable', 'disk full'));
    expect((await answer).code).toBe(door === 'HTTP' ? 503 : 14);
    expect(writer.storedCalls).toBe(20_165);
    // This collector knows most spans of the three slices that are committed, one that starts anew knows none.
    for (const isAnew of [false, true]) {
      if (isAnew) {
        await close();
        await open();
      }
      const from = writer.appended.length;
      const again = doors[door]!(message);
      let isTold = false;
      again.finally(() => {
        isTold = true;
      });
      for (let slice = from; !isTold; ) {
        await waitFor('a slice or the answer', () => isTold || writer.appended.length > slice);
        if (!isTold) await writer.settle(slice++);
      }
      expect((await again).code).toBe(door === 'HTTP' ? 200 : 0);
      const sent = digestsOf(0).slice(0, 4);
      const repeated = digestsOf(from);
      if (isAnew) expect(repeated).toEqual(sent);
      else expect(repeated.every((digest) => sent.includes(digest))).toBe(true);
      expect(writer.storedCalls).toBe(26_000);
    }
  });

  test('a small message is answered after its commit, not before', async () => {
    let isTold = false;
    const answer = doors[door]!(encodeSpans([serverSpan()])).finally(() => {
      isTold = true;
    });
    await waitFor('the commit', () => writer.appended.length === 1);
    await pause(30);
    expect(isTold).toBe(false);
    await writer.settle(0, new AppError('unavailable', 'disk full'));
    expect((await answer).code).toBe(door === 'HTTP' ? 503 : 14);
  });
});
