import { connect, constants } from 'node:http2';
import { exportPath, framed } from '../labs/load/grpc-call.ts';

/** What a gRPC call of an exporter came to. */
export interface GrpcAnswer {
  /** google.rpc.Code */
  code: number;
  /** Everything that was said: headers, messages, trailers. */
  said: Buffer;
}

/** One TraceService/Export with the bytes of a request, on a connection of its own. */
export function grpcExport(
  url: string,
  message: Uint8Array,
  headers: Record<string, string>,
  localAddress = '127.0.0.1',
): Promise<GrpcAnswer> {
  const session = connect(url, { localAddress } as object);
  return new Promise<GrpcAnswer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: exportPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const said: Buffer[] = [];
    let code = -1;
    const hear = (headers: object) => {
      said.push(Buffer.from(JSON.stringify(headers)));
      const status = (headers as Record<string, string>)['grpc-status'];
      if (status !== undefined) code = Number(status);
    };
    stream.on('response', hear);
    stream.on('trailers', hear);
    stream.on('data', (part: Buffer) => said.push(part));
    stream.on('error', reject);
    stream.on('close', () => resolve({ code, said: Buffer.concat(said) }));
    stream.end(framed(message));
  }).finally(() => session.close());
}
