import { connect } from 'node:http2';
import { Duplex } from 'node:stream';
import { exportPath, framed } from '../load/grpc-call.ts';

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
  const session = connect('http://fuzz', { createConnection: () => sink });
  session.on('error', () => {});
  const headers = { ':method': 'POST', ':path': exportPath, 'content-type': 'application/grpc' };
  const stream = session.request({ ...headers, te: 'trailers' });
  stream.on('error', () => {});
  const bytes = framed(message);
  stream.end(bytes);
  while (!Buffer.concat(parts).includes(bytes.subarray(-20))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  session.destroy();
  return Buffer.concat(parts);
}
