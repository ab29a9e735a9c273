import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counterOf, duplicateSpans, storedSpans } from '../../conformance/exchange.ts';
import { answerOf, exportPath, framed, openGrpc } from '../../labs/load/grpc-call.ts';
import { authority, writePair } from '../../support/certificates.ts';
import { traces } from '../../support/export-request.ts';
import { type Running, startCollectorProcess, temporaryFolder } from '../../support/process.ts';

/** How gRPC connections begin below TLS, and how they end: with the collector, with their age, and with whoever watches its health. */
let folder: ReturnType<typeof temporaryFolder>;
let collector: Running & { url: string; grpcUrl: string };

async function start(env: Record<string, string> = {}): Promise<void> {
  collector = await startCollectorProcess(`${folder.path}/rollcall.db`, env);
}

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await collector.stop();
  folder.remove();
});

test('SIGTERM under load: what was acknowledged is stored, what was not is sent again, all counts once', async () => {
  await start();
  const bodies = Array.from({ length: 400 }, () => traces(5));
  const acknowledged = new Set<Buffer>();
  const others: number[] = [];
  const clients = Array.from({ length: 4 }, () => exportingClient(collector.grpcUrl));
  const first = clients.map(async (client, turn) => {
    for (let n = turn; n < bodies.length; n += clients.length) {
      const code = await client.export(bodies[n]!);
      if (code === grpc.status.OK) acknowledged.add(bodies[n]!);
      else others.push(code);
      // As soon as there is something to lose.
      if (acknowledged.size === 40) collector.child.kill('SIGTERM');
    }
  });
  const ended = await collector.ended;
  await Promise.all(first);
  for (const client of clients) client.close();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(acknowledged.size).toBeLessThan(bodies.length);
  // Nobody is told anything after which an exporter would drop its data.
  expect(others.filter((code) => code !== grpc.status.UNAVAILABLE)).toEqual([]);

  await start();
  const client = exportingClient(collector.grpcUrl);
  for (const body of bodies) expect(await client.export(body)).toBe(grpc.status.OK);
  client.close();
  const stored = await counterOf(collector.url, storedSpans);
  const duplicate = await counterOf(collector.url, duplicateSpans);
  expect(stored + duplicate).toBe(2000);
  expect(duplicate).toBeGreaterThanOrEqual(acknowledged.size * 5);
});

test('SIGTERM: a call that had begun is answered, its connection is told to go, a stuck one is cut off', async () => {
  await start();
  const connection = await openGrpc(collector.grpcUrl);
  const stuck = await openGrpc(collector.grpcUrl);
  const message = framed(traces(3));
  const begun = connection.begin();
  const answered = answerOf(begun);
  begun.write(message.subarray(0, 20));
  const never = stuck.begin();
  never.on('error', () => {});
  never.write(message.subarray(0, 20));
  // A call of the same connection that is answered came after the beginning of the other.
  await connection.call(framed(traces(1)));
  await stuck.call(framed(traces(1)));
  const away = once(connection.session, 'goaway');
  collector.child.kill('SIGTERM');
  expect((await away)[0]).toBe(0);
  begun.end(message.subarray(20));
  expect((await answered).code).toBe(0);
  await once(stuck.session, 'close');
  expect((await collector.ended).code).toBe(0);
});

test('health is watched: serving, and at the end no more', async () => {
  await start();
  const client = new grpc.Client(
    new URL(collector.grpcUrl).host,
    grpc.credentials.createInsecure(),
  );
  const same = (bytes: Buffer) => bytes;
  const watch = (service: string) => {
    const name = Buffer.from(service);
    const asked = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const stream = client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      same,
      same,
      asked,
    );
    const told: number[] = [];
    stream.on('data', (message: Buffer) => told.push(message[1]!));
    const ended = new Promise<number>((resolve) => {
      stream.on('error', (error: grpc.ServiceError) => resolve(error.code));
    });
    return { told, ended, first: once(stream, 'data') };
  };
  const all = watch('');
  const unknown = watch('no.such.Service');
  await Promise.all([all.first, unknown.first]);
  expect([all.told, unknown.told]).toEqual([[1], [3]]);
  await collector.stop();
  expect([await all.ended, await unknown.ended]).toEqual([
    grpc.status.UNAVAILABLE,
    grpc.status.UNAVAILABLE,
  ]);
  expect([all.told, unknown.told]).toEqual([[1, 2], [3]]);
  client.close();
});

test('a connection of a certain age is told to go, and its calls are finished', async () => {
  await start({ ROLLCALL_GRPC_CONNECTION_AGE: '1s' });
  const connection = await openGrpc(collector.grpcUrl);
  const message = framed(traces(3));
  const begun = connection.begin();
  const answered = answerOf(begun);
  begun.write(message.subarray(0, 20));
  const closed = once(connection.session, 'close');
  expect((await once(connection.session, 'goaway'))[0]).toBe(0);
  begun.end(message.subarray(20));
  expect((await answered).code).toBe(0);
  await closed;
  // The next one is welcome.
  const next = await openGrpc(collector.grpcUrl);
  expect((await next.call(message)).code).toBe(0);
  next.session.destroy();
});

test('below TLS: gRPC by ALPN h2, a plain word for who chose HTTP/1.1, silence for who has no TLS', async () => {
  const ca = authority('test');
  await start(writePair(`${folder.path}/tls`, ca.issue('collector')));
  const { host, hostname, port } = new URL(collector.grpcUrl);
  expect(collector.grpcUrl).toBe(`https://${host}`);
  const connection = await openGrpc(collector.grpcUrl, { ca: ca.cert });
  expect(connection.session.alpnProtocol).toBe('h2');
  expect((await connection.call(framed(traces(2)))).code).toBe(0);
  const asked = { hostname, port, ca: ca.cert, method: 'POST', path: '/v1/traces', agent: false };
  const [answer] = await once(request(asked).end(traces(1)), 'response');
  let said = '';
  for await (const part of answer) said += part;
  expect([answer.statusCode, said]).toEqual([400, expect.stringContaining('4318')]);
  await expect(openGrpc(`http://${host}`)).rejects.toThrow();
  // Who never shakes hands does not hold up the end, nor does who says nothing after.
  const silent = connect(Number(port), hostname).on('error', () => {});
  const tls = connectTls({ port: Number(port), host: hostname, ca: ca.cert }).on('error', () => {});
  await Promise.all([once(silent, 'connect'), once(tls, 'secureConnect')]);
  expect((await collector.stop()).code).toBe(0);
});

/** gRPC's own client; its calls wait for nothing and are not repeated. */
function exportingClient(url: string) {
  const options = { 'grpc.enable_retries': 0 };
  const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure(), options);
  const same = (bytes: Buffer) => bytes;
  return {
    export: (message: Buffer) =>
      new Promise<number>((resolve) => {
        client.makeUnaryRequest(exportPath, same, same, message, (error) => {
          resolve(error?.code ?? grpc.status.OK);
        });
      }),
    close: () => client.close(),
  };
}
