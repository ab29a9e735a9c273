import { AppError } from '../error.ts';
import { limits } from '../limits.ts';

/** The credentials of a request, on any transport. */
export interface Credentials {
  authorization: string | undefined;
  apiKey: string | undefined;
  /** SHA-256 of the key that a session of the dashboard was opened with, in place of both headers. */
  keyDigest?: Buffer;
  /** The socket's peer. Forwarding headers are not trusted here: anyone can write them. */
  address: string;
}

type Header = string | string[] | undefined;

/** @param headers with lower-case names: from node:http, from node:http2, or from gRPC metadata */
export function credentialsOf(
  headers: { authorization?: Header; 'x-api-key'?: Header },
  address: string | undefined,
): Credentials {
  return {
    authorization: first(headers.authorization),
    // A proxy or a template may leave it empty beside a good Authorization.
    apiKey: first(headers['x-api-key'])?.trim() || undefined,
    address: address ?? '',
  };
}

function first(header: Header): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/**
 * The key in `x-api-key: KEY`, else in `Authorization: Bearer KEY`. If both are present, `x-api-key` wins:
 * Authorization may be meant for a proxy. Values may be percent-encoded: OTEL_EXPORTER_OTLP_HEADERS requires it
 * (`Authorization=Bearer%20KEY`) and some exporters send the encoded text (docs/conformance.md A2).
 * @throws AppError `unauthenticated` without a readable key
 */
export function keyTextOf({ authorization, apiKey }: Credentials): string {
  const header = apiKey ?? authorization;
  if (header === undefined) throw new AppError('unauthenticated', `no key was sent: ${howToSend}`);
  if (header.length > limits.keyHeaderLength) {
    const message = `the key's header has ${header.length} characters; at most ${limits.keyHeaderLength} are read`;
    throw new AppError('unauthenticated', message);
  }
  const text = decoded(header).trim();
  if (apiKey !== undefined) return text;
  const [, key] = /^bearer +(\S+)$/i.exec(text) ?? [];
  if (key !== undefined) return key;
  throw new AppError('unauthenticated', `Authorization holds no Bearer key: ${howToSend}`);
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const howToSend = 'send Authorization: Bearer KEY, or x-api-key: KEY';
