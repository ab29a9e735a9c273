import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { frame, tracesExport } from '../conformance/grpc-client.ts';
import { Random } from '../load/random.ts';
import type { FuzzCase } from './case.ts';
import { type Lane, type LaneOptions, silentMs } from './lane.ts';
import { mutateBytes } from './mutate-bytes.ts';

/**
 * HTTP/2 from its first byte: what a real client sends for a call, changed anywhere, each on a connection
 * of its own. Any answer will do as long as the connection ends when the client has said all.
 */
export class Http2Lane implements Lane {
  readonly #options: LaneOptions;
  readonly #recorded: Buffer;

  constructor(options: LaneOptions, recorded: Buffer) {
    this.#options = options;
    this.#recorded = recorded;
  }

  async run(): Promise<void> {
    const { next, answered, unanswered } = this.#options;
    for (let fuzzed = next(); fuzzed !== undefined; fuzzed = next()) {
      const startMs = performance.now();
      const why = await this.#send(fuzzed);
      if (why === undefined) answered(fuzzed, 0, performance.now() - startMs);
      else unanswered(fuzzed, why);
    }
  }

  /** @returns why the connection did not end; undefined when it did */
  #send({ index, body }: FuzzCase): Promise<string | undefined> {
    const bytes = mutateBytes(new Random(index), this.#recorded, body);
    const socket = connect({ ...this.#options.address, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.resume();
    socket.end(bytes);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        socket.destroy();
        resolve(`the connection did not end within ${silentMs} ms`);
      }, silentMs);
      socket.on('end', () => socket.destroy());
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}

/** The bytes that Node's own client writes for a call with this message. */
export async function recordCall(message: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sink = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      parts.push(chunk);
      done();
    },
  });
  const session = connectHttp2('http://fuzz', { createConnection: () => sink });
  session.on('error', () => {});
  const headers = { ':method': 'POST', ':path': tracesExport, 'content-type': 'application/grpc' };
  const stream = session.request({ ...headers, te: 'trailers' });
  stream.on('error', () => {});
  const framed = frame(message);
  stream.end(framed);
  while (!Buffer.concat(parts).includes(framed.subarray(-20))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  session.destroy();
  return Buffer.concat(parts);
}
