import type { IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Agent, request } from 'node:https';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

/** Clients over TLS that keep one connection, in both versions of HTTP. */
export interface SecureClient {
  send(path: string, options?: Sending): Promise<SecureAnswer>;
  /** Common name of the certificate that the server showed on the connection. */
  serverName(): string;
  close(): void;
}

export interface Sending {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

export interface SecureAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export function http1Client(url: string, tls: ConnectionOptions): SecureClient {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 1 });
  let socket: TLSSocket | undefined;
  return {
    send: (path, { method = 'POST', headers = {}, body = '' } = {}) => {
      return new Promise((resolve, reject) => {
        const sent = request(`${url}${path}`, { agent, method, headers }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const { statusCode, headers: answered } = answer;
            resolve({ status: statusCode!, headers: answered, body: Buffer.concat(parts) });
          });
        });
        sent.on('socket', (used) => {
          socket = used as TLSSocket;
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    serverName: () => socket!.getPeerCertificate().subject.CN as string,
    close: () => agent.destroy(),
  };
}

export async function http2Client(url: string, tls: ConnectionOptions): Promise<SecureClient> {
  const session = await new Promise<ClientHttp2Session>((resolve, reject) => {
    // Node's own client may hold 10 MB unless told otherwise.
    const opening = connect(url, { ...tls, maxSessionMemory: 256 }, () => resolve(opening));
    opening.once('error', reject);
  });
  session.on('error', () => {});
  return {
    send: (path, { method = 'POST', headers = {}, body = '' } = {}) => {
      return new Promise((resolve, reject) => {
        const asked = { ':path': path, ':method': method, ...headers };
        const stream = session.request(asked, { endStream: false });
        let answered: IncomingHttpHeaders & { ':status'?: number } = {};
        const parts: Buffer[] = [];
        stream.on('response', (found) => {
          answered = found as typeof answered;
        });
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('error', reject);
        stream.on('close', () => reject(new Error('no answer')));
        stream.on('end', () => {
          resolve({ status: answered[':status']!, headers: answered, body: Buffer.concat(parts) });
          // The rest of a body that was answered before its end.
          stream.close();
        });
        stream.end(body);
      });
    },
    serverName: () => (session.socket as TLSSocket).getPeerCertificate().subject.CN as string,
    close: () => session.destroy(),
  };
}
