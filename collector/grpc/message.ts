import type { ServerHttp2Stream } from 'node:http2';
import { asAppError } from '../../core/error.ts';
import type { Share } from '../../core/server/byte-budget.ts';
import {
  type Body,
  type BodyOptions,
  type Codec,
  checkDeclared,
  Gone,
  type Intake,
  openIntake,
} from '../request/body.ts';
import { grpcCode, RpcError } from './status.ts';

/**
 * The message of a unary call: a flag byte (compressed or not), a length of four bytes, then that many bytes in
 * any number of DATA frames. The length is known first, so a message that is too large is refused unread.
 */
export interface Message {
  body: Body;
  /** The message's part of the budget. The caller releases it. */
  share: Share;
}

export interface MessageOptions extends Pick<BodyOptions, 'bytesMax' | 'pool'> {
  /** Of the header grpc-encoding; undefined without one. */
  codec: Codec | undefined;
  /**
   * Reserves budget for a message of this length.
   * @throws AppError
   */
  admit(bytes: number): Share;
}

export interface Reading {
  message: Promise<Message>;
  /** Gives up; the promise is rejected with the error. After the promise has settled it does nothing. */
  fail(error: Error): void;
}

/**
 * The promise is rejected with AppError, RpcError, or `Gone` when the client went away; the rest of the
 * stream is then unread: it is the caller's to discard.
 */
export function readMessage(stream: ServerHttp2Stream, options: MessageOptions): Reading {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const frame = new Frame(stream, options, {
    resolve,
    reject: (error) => {
      stop();
      reject(error);
    },
  });
  const chunk = (bytes: Buffer): void => {
    try {
      frame.chunk(bytes);
    } catch (error) {
      frame.fail(error instanceof RpcError ? error : asAppError(error));
    }
  };
  // Node ends a reset stream as if it were complete, and so does Node's client when the code is no error. So
  // only an incomplete message can have been cut off.
  const end = (): void => {
    if (frame.isWhole) frame.end();
    else setImmediate(() => (stream.closed || stream.destroyed ? gone() : frame.end()));
  };
  const gone = (): void => frame.gone();
  const stop = (): void => {
    stream.off('data', chunk);
    stream.off('end', end);
    stream.off('close', gone);
  };
  stream.on('data', chunk);
  stream.on('end', end);
  stream.on('close', gone);
  if (stream.destroyed) gone();
  // Node loses an empty DATA frame that ends a stream within the first bytes of a connection.
  setImmediate(() => {
    if (frame.isUntouched && stream.readableLength === 0 && stream.state.remoteClose === 1) end();
  });
  return { message: promise, fail: (error) => frame.fail(error) };
}

interface MessageEnds {
  resolve(message: Message): void;
  reject(error: Error): void;
}

class Frame {
  readonly #stream: ServerHttp2Stream;
  readonly #options: MessageOptions;
  readonly #ends: MessageEnds;
  /** Of the prefix, while it is in pieces. */
  #prefix: Buffer | undefined;
  #share: Share | undefined;
  #intake: Intake | undefined;
  /** Of the message as sent. */
  #bytes = 0;
  #missing = 0;
  #settled = false;
  #complete = false;

  constructor(stream: ServerHttp2Stream, options: MessageOptions, ends: MessageEnds) {
    this.#stream = stream;
    this.#options = options;
    this.#ends = ends;
  }

  /** No byte came, and nothing was decided. */
  get isUntouched(): boolean {
    return this.#intake === undefined && this.#prefix === undefined && !this.#settled;
  }

  /** The last byte came. */
  get isWhole(): boolean {
    return this.#intake !== undefined && this.#missing === 0;
  }

  chunk(bytes: Buffer): void {
    const rest = this.#intake === undefined ? this.#begin(bytes) : bytes;
    if (rest.length === 0 || this.#intake === undefined) return;
    if (rest.length > this.#missing) {
      const length = `${this.#bytes} bytes`;
      throw malformed(`the call goes on after its one message of ${length}`);
    }
    this.#missing -= rest.length;
    this.#intake.chunk(rest);
  }

  end(): void {
    if (this.#settled || this.#complete) return;
    if (this.#intake === undefined) {
      this.fail(malformed('the call ended before the 5 bytes that begin a message'));
    } else if (this.#missing > 0) {
      const [came, told] = [this.#bytes - this.#missing, this.#bytes];
      this.fail(malformed(`the call ended after ${came} of the message's ${told} bytes`));
    } else {
      this.#complete = true;
      this.#intake.end();
    }
  }

  /** Once the last byte came, a client that goes away takes nothing with it. */
  gone(): void {
    if (!this.#complete) this.fail(new Gone('the client went away'));
  }

  fail(error: Error): void {
    if (this.#settled) return;
    if (this.#intake === undefined) this.#reject(error);
    else this.#intake.fail(error);
  }

  /** @returns what follows the prefix */
  #begin(bytes: Buffer): Buffer {
    const head = this.#prefix === undefined ? bytes : Buffer.concat([this.#prefix, bytes]);
    if (head.length < prefixBytes) {
      this.#prefix = head;
      return head.subarray(head.length);
    }
    const { codec, bytesMax, pool } = this.#options;
    const flag = head[0]!;
    if (flag > 1)
      throw malformed(`the message begins with the flag ${flag}; only 0 and 1 are known`);
    if (flag === 1 && (codec === undefined || codec === 'identity')) {
      throw malformed('the message is said to be compressed, and no grpc-encoding says how');
    }
    this.#bytes = head.readUInt32BE(1);
    this.#missing = this.#bytes;
    checkDeclared(this.#bytes, bytesMax);
    const share = this.#options.admit(this.#bytes);
    this.#share = share;
    const body = { codec: flag === 1 ? codec! : 'identity', bytesMax, pool, share } as const;
    this.#intake = openIntake(body, this.#bytes, {
      flow: this.#stream,
      resolve: (read) => {
        this.#settled = true;
        this.#ends.resolve({ body: read, share });
      },
      reject: (error) => this.#reject(error),
    });
    return head.subarray(prefixBytes);
  }

  #reject(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#share?.release();
    this.#ends.reject(error);
  }
}

const prefixBytes = 5;

/** The status that gRPC libraries answer to a stream with invalid framing. */
function malformed(message: string): RpcError {
  return new RpcError(grpcCode.internal, message);
}
