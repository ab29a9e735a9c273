import { type ClientHttp2Session, connect } from 'node:http2';
import { exportPath } from '../load/grpc-call.ts';
import type { FuzzCase } from './case.ts';
import { type Lane, type LaneOptions, silentMs } from './lane.ts';

/** One HTTP/2 connection with several calls at once. */
export class GrpcLane implements Lane {
  readonly #options: LaneOptions;
  #session: ClientHttp2Session | undefined;
  #open = 0;
  #done: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#fill();
    });
  }

  #connected(): ClientHttp2Session {
    const { host, port } = this.#options.address;
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(`http://${host}:${port}`);
      this.#session.on('error', () => {});
    }
    return this.#session;
  }

  #fill(): void {
    while (this.#open < streams) {
      const fuzzed = this.#options.next();
      if (fuzzed === undefined) break;
      this.#call(fuzzed);
    }
    if (this.#open === 0) {
      this.#session?.destroy();
      this.#done();
    }
  }

  #call(fuzzed: FuzzCase): void {
    const startMs = performance.now();
    this.#open += 1;
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': exportPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...fuzzed.headers,
    });
    let status: number | undefined;
    let isOver = false;
    const see = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
    };
    const over = (why: string): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#open -= 1;
      if (status !== undefined) {
        this.#options.answered(fuzzed, status, performance.now() - startMs);
      } else {
        this.#options.unanswered(fuzzed, why);
      }
      this.#fill();
    };
    const timer = setTimeout(() => {
      stream.destroy();
      over(`nothing within ${silentMs} ms`);
    }, silentMs);
    stream.on('response', see);
    stream.on('trailers', see);
    stream.on('error', () => {});
    stream.on('close', () => over(`the stream ended with code ${stream.rstCode}`));
    stream.resume();
    // Half of them in two DATA frames.
    const half = fuzzed.index % 2 === 0 ? fuzzed.body.length >> 1 : 0;
    if (half > 0) stream.write(fuzzed.body.subarray(0, half));
    stream.end(fuzzed.body.subarray(half));
  }
}

const streams = 16;
