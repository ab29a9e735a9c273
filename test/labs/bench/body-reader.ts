import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The baseline: a server on node:http that only reads the bodies and answers 200. What Rollcall costs
 * beyond it is Rollcall's; what it costs is the machine's.
 */
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 });
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ otlp_http: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => server.close());
process.once('SIGTERM', () => server.closeAllConnections());
