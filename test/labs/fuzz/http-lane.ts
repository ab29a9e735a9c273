import { connect, type Socket } from 'node:net';
import type { FuzzCase } from './case.ts';
import { type Lane, type LaneOptions, silentMs } from './lane.ts';

/**
 * One keep-alive connection with several requests on their way at once. A client library would cost more
 * than the server does: requests are written as bytes, answers are read by their Content-Length.
 */
export class HttpLane implements Lane {
  readonly #options: LaneOptions;
  readonly #waiting: { fuzzed: FuzzCase; sentMs: number }[] = [];
  #socket: Socket | undefined;
  #unread: Buffer = Buffer.alloc(0);
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #done: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#open();
    });
  }

  #open(): void {
    const socket = connect({ ...this.#options.address, noDelay: true });
    this.#socket = socket;
    this.#unread = Buffer.alloc(0);
    socket.on('connect', () => this.#fill());
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#closed('the connection ended'));
  }

  #fill(): void {
    const socket = this.#socket!;
    socket.cork();
    while (this.#waiting.length < depth) {
      const fuzzed = this.#options.next();
      if (fuzzed === undefined) break;
      this.#waiting.push({ fuzzed, sentMs: performance.now() });
      socket.write(headOf(fuzzed));
      socket.write(fuzzed.body);
    }
    socket.uncork();
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) {
      socket.destroy();
      this.#socket = undefined;
      this.#done();
    } else {
      this.#timer = setTimeout(() => this.#closed(`nothing within ${silentMs} ms`), silentMs);
    }
  }

  #read(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const headEnd = this.#unread.indexOf('\r\n\r\n');
      if (headEnd < 0) break;
      const head = this.#unread.toString('latin1', 0, headEnd);
      const end = headEnd + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (this.#unread.length < end) break;
      this.#unread = this.#unread.subarray(end);
      this.#answer(Number(head.slice(9, 12)));
      // What was sent behind it is not looked at any more, and goes again on another connection.
      if (/\r\nconnection: close/i.test(head)) {
        this.#again();
        return;
      }
    }
    this.#fill();
  }

  #answer(status: number): void {
    const nowMs = performance.now();
    const { fuzzed, sentMs } = this.#waiting.shift()!;
    // The server begins with a request when it has answered the one before.
    this.#options.answered(fuzzed, status, nowMs - Math.max(sentMs, this.#lastMs));
    this.#lastMs = nowMs;
  }

  #closed(why: string): void {
    if (this.#socket === undefined) return;
    // A server that is gone refuses the connection before anything was sent on it.
    if (this.#waiting.length === 0) {
      const refused = this.#options.next();
      if (refused !== undefined) this.#options.unanswered(refused, why);
    }
    const lost = this.#waiting.shift();
    if (lost !== undefined) this.#options.unanswered(lost.fuzzed, why);
    this.#again();
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#socket?.removeAllListeners('close').destroy();
    const { next } = this.#options;
    const behind = this.#waiting.splice(0).map(({ fuzzed }) => fuzzed);
    const first = behind.shift() ?? next();
    this.#socket = undefined;
    if (first === undefined) {
      this.#done();
      return;
    }
    behind.unshift(first);
    this.#options.next = () => behind.shift() ?? next();
    this.#open();
  }
}

/** Requests on their way on one connection. */
const depth = 16;

function headOf({ headers, body }: FuzzCase): string {
  let head = `POST /v1/traces HTTP/1.1\r\nhost: fuzz\r\ncontent-length: ${body.length}\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}
