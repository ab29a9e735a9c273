import { renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../core/random.ts';
import { Database } from '../../../core/store/sqlite/database.ts';
import { oddRequest } from '../../faults/odd-request.ts';
import {
  callTo,
  encodeSpans,
  jsonType,
  protobufType,
  serverSpan,
} from '../../support/export-request.ts';
import { constructions } from '../amplification/construction.ts';
import { connections, postTraces } from '../load/post.ts';
import { announceOverGrpc, announceOverHttp } from './announced.ts';

/** What an attack is aimed at: a collector and an analyzer on one store, which ask for keys. */
export interface Target {
  otlpHttp: string;
  otlpGrpc: string;
  analyzer: string;
  ingestKey: string;
  readKey: string;
  storePath: string;
  /** The services' clocks are ahead by as many milliseconds as this file says. */
  clockFile: string;
}

export interface Attack {
  name: string;
  /** Senders are refused while it goes on, as they must be: the store is away. */
  refuses?: true;
  /** @returns what was sent and what came back, in words */
  run(target: Target, seconds: number): Promise<string>;
}

const mib = 2 ** 20;
const dayMs = 86_400_000;

export const attacks: readonly Attack[] = [
  {
    name: 'bodies of 64 MiB announced',
    async run({ otlpHttp, otlpGrpc, ingestKey }, seconds) {
      const sockets = announceOverHttp(otlpHttp, 64, mib, `x-api-key: ${ingestKey}\r\n`);
      const grpc = await announceOverGrpc(otlpGrpc, 64, mib, { 'x-api-key': ingestKey });
      await pause(seconds * 1000);
      for (const socket of sockets) socket.destroy();
      for (const { session } of grpc) session.destroy();
      return '64 over HTTP and 64 over gRPC, 1 MiB sent of each';
    },
  },
  {
    name: 'small bodies, dear to take',
    async run({ otlpHttp, ingestKey }, seconds) {
      const agent = connections(2);
      const statuses = new Tally();
      await untilOver(seconds, async (n) => {
        const { encoding, build } = constructions[n % constructions.length]!;
        const body = gzipSync(build(4 * mib), { level: 1 });
        const answer = await postTraces(otlpHttp, agent, body, {
          'content-type': encoding === 'json' ? jsonType : protobufType,
          'content-encoding': 'gzip',
          'x-api-key': ingestKey,
        });
        statuses.add(answer.status);
      });
      agent.destroy();
      return `${constructions.length} constructions of test:amplification, 4 MiB before gzip: ${statuses}`;
    },
  },
  {
    name: 'pipelined requests',
    async run({ otlpHttp, analyzer }, seconds) {
      const requests = Buffer.from('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(7_000));
      let writes = 0;
      await inParallel(4, seconds, async (n) => {
        writes += 1;
        await exchange(n % 2 === 0 ? otlpHttp : analyzer, requests, 200);
      });
      return `${writes} writes of 7,000 requests each`;
    },
  },
  {
    name: 'answers that nobody reads',
    async run({ analyzer, readKey }, seconds) {
      const paths = ['/api/v1/report?format=csv&limit=10000', '/api/v1/openapi.json', '/metrics'];
      const sockets = Array.from({ length: 60 }, (_, n) => {
        const socket = opened(analyzer).pause();
        socket.write(
          `GET ${paths[n % paths.length]} HTTP/1.1\r\nHost: a\r\nx-api-key: ${readKey}\r\n\r\n`.repeat(
            16,
          ),
        );
        return socket;
      });
      await pause(seconds * 1000);
      for (const socket of sockets) socket.destroy();
      return '60 askers of 16 answers each';
    },
  },
  {
    name: 'odd requests',
    async run({ otlpHttp, otlpGrpc, analyzer }, seconds) {
      const random = new Random(13);
      const ports = [otlpHttp, otlpGrpc, analyzer];
      let sent = 0;
      await inParallel(16, seconds, async (n) => {
        sent += 1;
        await exchange(ports[n % 3]!, oddRequest(random), 60);
      });
      return `${sent} connections of one to four requests`;
    },
  },
  {
    name: 'wrong keys',
    async run({ otlpHttp, analyzer }, seconds) {
      const agent = connections(16);
      const statuses = new Tally();
      await inParallel(16, seconds, async (n) => {
        const headers = { 'x-api-key': `rck_${n}` };
        if (n % 2 === 0) {
          const body = encodeSpans([serverSpan()]);
          statuses.add((await postTraces(otlpHttp, agent, body, headers)).status);
        } else statuses.add(await ask(`${analyzer}/api/v1/services`, headers, agent));
      });
      agent.destroy();
      return `${statuses}`;
    },
  },
  {
    name: 'forged cursors, 8,000 parameters',
    async run({ analyzer, readKey }, seconds) {
      const agent = connections(8);
      const random = new Random(17);
      const statuses = new Tally();
      await inParallel(8, seconds, async (n) => {
        const forged = Buffer.from(random.bytes(1 + random.below(200))).toString('base64url');
        const path = ['report', 'calls', 'clients'][n % 3];
        const query = n % 8 === 0 ? 'x=1&'.repeat(8_000).slice(0, 15_000) : `cursor=${forged}`;
        statuses.add(
          await ask(`${analyzer}/api/v1/${path}?${query}`, { 'x-api-key': readKey }, agent),
        );
      });
      agent.destroy();
      return `${statuses}`;
    },
  },
  {
    name: 'slow connections',
    async run({ otlpHttp, otlpGrpc, analyzer }, seconds) {
      const sockets = [otlpHttp, otlpGrpc, analyzer].flatMap((url) =>
        Array.from({ length: 600 }, () => opened(url).resume()),
      );
      const head =
        'POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaa';
      await untilOver(seconds, async (n) => {
        for (const socket of sockets) if (!socket.destroyed) socket.write(head[n % head.length]!);
        await pause(250);
      });
      for (const socket of sockets) socket.destroy();
      return '600 to each port, 4 bytes a second';
    },
  },
  {
    name: 'a storm of reports',
    async run({ analyzer, readKey }, seconds) {
      const agent = new Agent({ keepAlive: true, maxSockets: 50 });
      const statuses = new Tally();
      await inParallel(50, seconds, async (n) => {
        const url = `${analyzer}/api/v1/report?window=${24 + (n % 2_000)}h`;
        const status = await ask(url, { 'x-api-key': readKey }, agent);
        statuses.add(status);
        if (status === 429) await pause(200);
      });
      agent.destroy();
      return `50 askers of reports: ${statuses}`;
    },
  },
  {
    name: 'endpoints without end',
    async run({ otlpHttp, ingestKey }, seconds) {
      const agent = connections(4);
      const statuses = new Tally();
      let routes = 0;
      await inParallel(4, seconds, async () => {
        const spans = Array.from({ length: 500 }, () => {
          routes += 1;
          return serverSpan({ attributes: callTo(`/made/${routes.toString(36)}/up`) });
        });
        const headers = { 'x-api-key': ingestKey };
        statuses.add((await postTraces(otlpHttp, agent, encodeSpans(spans), headers)).status);
      });
      agent.destroy();
      return `${routes} routes: ${statuses}`;
    },
  },
  {
    name: 'declared routes without end',
    async run({ otlpHttp, ingestKey }, seconds) {
      const agent = connections(2);
      const statuses = new Tally();
      let routes = 0;
      await inParallel(2, seconds, async (n) => {
        const array = Array.from(
          { length: 5_000 },
          () => `GET /declared/${(routes++).toString(36)}`,
        );
        const span = serverSpan({
          name: 'rollcall.inventory',
          kind: 1,
          attributes: [{ key: 'rollcall.routes', value: { array } }],
        });
        const body = gzipSync(
          encodeTraces(
            Array.from({ length: 20 }, (_, service) => ({
              attributes: [{ key: 'service.name', value: `declares-${n % 50}-${service}` }],
              scopes: [{ name: 'test', spans: [span] }],
            })),
          ),
          { level: 1 },
        );
        const headers = { 'x-api-key': ingestKey, 'content-encoding': 'gzip' };
        statuses.add((await postTraces(otlpHttp, agent, body, headers)).status);
      });
      agent.destroy();
      return `${routes} routes, each of 20 services: ${statuses}`;
    },
  },
  {
    name: 'bodies of commands that do not come',
    async run({ analyzer, readKey }, seconds) {
      const head = `POST /api/v1/services/shop/check HTTP/1.1\r\nHost: a\r\nx-api-key: ${readKey}\r\nContent-Length: 33554432\r\n\r\n`;
      const sockets = Array.from({ length: 100 }, () => {
        const socket = opened(analyzer).resume();
        socket.write(head);
        socket.write(Buffer.alloc(2 * mib, 'GET /a\n'));
        return socket;
      });
      await pause(seconds * 1000);
      const left = sockets.filter(({ destroyed }) => !destroyed).length;
      for (const socket of sockets) socket.destroy();
      return `100 of 32 MiB, 2 MiB sent of each; ${left} connections were left open`;
    },
  },
  {
    name: 'documents and whole lists',
    async run({ analyzer, readKey }, seconds) {
      const agent = connections(12);
      const statuses = new Tally();
      const paths = [
        'report?format=pdf',
        'report?format=ndjson&window=800d',
        'calls?format=ndjson',
        'report?spark=60&limit=10000&window=800d',
        'compare?window=7d&limit=10000',
        'report?format=md&limit=10000',
      ];
      await inParallel(12, seconds, async (n) => {
        const url = `${analyzer}/api/v1/${paths[n % paths.length]}`;
        const headers = { 'x-api-key': readKey, 'accept-encoding': ['br', 'gzip', 'zstd'][n % 3]! };
        const status = await ask(url, headers, agent);
        statuses.add(status);
        if (status === 429) await pause(200);
      });
      agent.destroy();
      return `12 askers: ${statuses}`;
    },
  },
  {
    name: 'the clock steps 400 days ahead and back',
    async run({ clockFile }, seconds) {
      let steps = 0;
      await untilOver(seconds, async () => {
        writeFileSync(clockFile, String(400 * dayMs));
        await pause(1_500);
        writeFileSync(clockFile, '0');
        await pause(1_500);
        steps += 1;
      });
      return `${steps} times`;
    },
  },
  {
    name: 'twelve bytes of a usage row flipped',
    async run({ storePath }, seconds) {
      const db = new Database(storePath, { timeoutMs: 10_000 });
      try {
        const where = 'level_minutes = 1440 ORDER BY shard, minute DESC LIMIT 1';
        const block = db.prepare(`SELECT shard, minute, block FROM usage_block WHERE ${where}`);
        const found = block.get() as { shard: number; minute: number; block: Buffer };
        for (let i = 0; i < 12; i += 1) found.block[(found.block.length >> 1) + i]! ^= 255;
        db.prepare(
          'UPDATE usage_block SET block = ? WHERE level_minutes = 1440 AND shard = ? AND minute = ?',
        ).run(found.block, found.shard, found.minute);
      } finally {
        db.close();
      }
      await pause(seconds * 1000);
      return 'a day of 256 endpoints of other services';
    },
  },
  {
    name: 'the store is moved away and put back',
    refuses: true,
    async run({ storePath }, seconds) {
      let moves = 0;
      await untilOver(seconds, async () => {
        renameSync(storePath, `${storePath}.moved`);
        await pause(1_000);
        renameSync(`${storePath}.moved`, storePath);
        await pause(1_000);
        moves += 1;
      });
      return `${moves} times for a second`;
    },
  },
];

/** How often each status came. */
class Tally {
  readonly #counts = new Map<number, number>();

  add(status: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
  }

  toString(): string {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    return sorted.map(([status, n]) => `${n} × ${status === 0 ? 'no answer' : status}`).join(', ');
  }
}

/** Repeats the work until the time is over; work that fails (a connection that was closed) is repeated too. */
async function untilOver(seconds: number, work: (n: number) => Promise<void>): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  for (let n = 0; performance.now() < endMs; n += 1) await work(n).catch(() => pause(20));
}

async function inParallel(
  workers: number,
  seconds: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: workers }, () => untilOver(seconds, () => work(next++))));
}

function opened(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => {});
}

/** Writes the bytes, and reads until the server closes or the time is over. */
function exchange(url: string, bytes: Buffer, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = opened(url).resume();
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(bytes);
  });
}

/** @returns the status; 0: no answer */
function ask(url: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(url, { headers, agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end();
  });
}
