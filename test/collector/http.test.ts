import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BufferPool } from '../../collector/buffer-pool.ts';
import { ChunkGarbage } from '../../collector/chunk-garbage.ts';
import { Extractor } from '../../collector/extract.ts';
import { type HttpDoor, openHttpDoor } from '../../collector/http.ts';
import { Ingest } from '../../collector/ingest.ts';
import { LargeJson } from '../../collector/large-json.ts';
import { LargeMessages } from '../../collector/large-message.ts';
import { CollectorMetrics } from '../../collector/metrics.ts';
import { Notices } from '../../collector/notices.ts';
import { CallDictionary } from '../../core/call.ts';
import { readConfig } from '../../core/config.ts';
import { openGate } from '../../core/gate.ts';
import { openLog } from '../../core/log.ts';
import { openSqliteWriter } from '../../core/store/sqlite/writer.ts';
import type { CallWriter } from '../../core/store/store.ts';
import { temporaryFolder } from '../process.ts';

/** The door's timeouts (OTLP.md L1), short enough to wait for. */
const timeouts = {
  keepAliveMs: 300,
  headersMs: 400,
  requestMs: 600,
  silentSocketMs: 300,
  timeoutCheckMs: 50,
};
const folder = temporaryFolder();
let writer: CallWriter;
let door: HttpDoor;

beforeAll(async () => {
  const config = readConfig({});
  const dictionary = new CallDictionary();
  const metrics = new CollectorMetrics();
  const extractor = new Extractor({ dictionary, config, now: Date.now });
  writer = await openSqliteWriter({ path: `${folder.path}/a.db`, retention: config.retention });
  const ingest = new Ingest({ writer, extractor, dictionary, metrics });
  door = await openHttpDoor({
    gate: openGate,
    ingest,
    metrics,
    notices: new Notices(),
    pool: new BufferPool(),
    garbage: new ChunkGarbage(),
    largeJson: new LargeJson(),
    largeMessages: new LargeMessages(ingest, { config, now: Date.now }),
    bodyBytesMax: config.maxBodyBytes,
    host: config.host,
    port: 0,
    log: openLog('test', 'silent'),
    timeouts,
  });
});

afterAll(async () => {
  await door.close(100);
  await writer.close();
  folder.remove();
});

/** What the server says until it closes; `drip` is written again and again. */
function untilClosed(first: string, drip?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(door.url).port), '127.0.0.1');
    let said = '';
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 50);
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(dripping);
      resolve(said);
    });
    socket.write(first);
  });
}

const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';

test('L1 a body that stops half-way, or that only trickles, is cut off', async () => {
  const stalled = untilClosed(`${head}content-length: 1000\r\n\r\nabc`);
  const trickling = untilClosed(`${head}content-length: 100000\r\n\r\n`, 'x');
  expect(await stalled).toBe('');
  expect(await trickling).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test('L1 headers that only trickle are cut off', async () => {
  expect(await untilClosed(head, 'x: y\r\n')).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test('L1 a connection that says nothing is closed, one that was used after its idle time', async () => {
  expect(await untilClosed('')).toBe('');
  expect(await untilClosed(`${head}content-length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});
