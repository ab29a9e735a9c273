import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Authorizer } from '../../core/auth/authorizer.ts';
import { type Credentials, credentialsOf, keyTextOf } from '../../core/auth/credentials.ts';
import { AppError, asAppError } from '../../core/error.ts';
import { digestOf } from '../../core/key.ts';
import { limits } from '../../core/limits.ts';
import { isoTime } from '../../core/window.ts';
import { knownPrefix } from './base-path.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { readJsonBody } from './json-body.ts';
import { type Session, Sessions } from './session.ts';

/** Facts for the dashboard's page, before and after signing in. */
export interface PageFacts {
  auth: 'off' | 'keys';
  version: string;
  /** Of the dashboard's build. */
  build: string | undefined;
  /** Where services send; a port of null was taken freely by the collector. */
  collector: { scheme: 'http' | 'https'; http_port: number | null; grpc_port: number | null };
  /** As configured; shown to those who may read. */
  settings: object;
}

/** Signing in to the dashboard with a key, and the credentials of requests that come with a session. */
export interface SessionRoutes {
  /** Of a header where there is one, else of the session. @throws AppError `forbidden` for another page's request */
  credentials(request: ApiRequest): Credentials;
  read: Handler;
  signIn: Handler;
  signOut: Handler;
  list: Handler;
  end: Handler;
}

export function openSessionRoutes(
  authorizer: Authorizer,
  facts: PageFacts,
  now: () => number,
): SessionRoutes {
  const sessions = new Sessions(now);

  const current = (request: ApiRequest): Session | undefined => {
    const token = tokenOf(request);
    return token === undefined ? undefined : sessions.find(token);
  };

  const credentials = (request: ApiRequest): Credentials => {
    const sent = credentialsOf(request.headers, request.socket.remoteAddress);
    if (sent.authorization !== undefined || sent.apiKey !== undefined) return sent;
    const session = current(request);
    if (session === undefined) return sent;
    if (request.method !== 'GET' && request.method !== 'HEAD') checkOwnPage(request);
    return { ...sent, keyDigest: session.keyDigest };
  };

  /** @throws as the authorizer, when the session's key is no longer valid */
  const checkKey = async (request: ApiRequest, { scope }: Session): Promise<void> => {
    if (scope === 'operator') await authorizer.administrator(credentials(request));
    else await authorizer.project(credentials(request), 'read');
  };

  /** The owner of a key that may sign in. @throws as the authorizer for any other */
  const signerOf = async (sent: Credentials): Promise<Pick<Session, 'project' | 'scope'>> => {
    const administrator = await authorizer.administrator(sent).catch((thrown: unknown) => {
      // A wrong key is refused at once: a second look would count a second attempt.
      if (!['forbidden', 'conflict'].includes(asAppError(thrown).code)) throw thrown;
      return undefined;
    });
    if (administrator?.isOperator) return { project: null, scope: 'operator' };
    const project = await authorizer.project(sent, 'read');
    return { project, scope: administrator === undefined ? 'read' : 'admin' };
  };

  /** With authentication off there is one user, for every client. */
  const userOf = async (request: ApiRequest): Promise<object | null> => {
    if (facts.auth === 'off') {
      const project = await authorizer.project(credentials(request), 'read');
      return { project, scope: 'read', expires_at: null };
    }
    const session = current(request);
    if (session === undefined) return null;
    try {
      await checkKey(request, session);
    } catch (thrown) {
      if (asAppError(thrown).code === 'unauthenticated') return null;
      throw thrown;
    }
    const { project, scope } = session;
    return { project, scope, expires_at: isoTime(sessions.expiresMs(session)) };
  };

  /** @throws AppError `unauthenticated` without a session */
  const mine = (request: ApiRequest): Session => {
    const session = current(request);
    if (session !== undefined) return session;
    throw new AppError('unauthenticated', 'there is no session: sign in first');
  };

  return {
    credentials,
    async read(request, response) {
      const user = await userOf(request);
      const { settings, build = null, ...open } = facts;
      json(response, 200, { ...open, build, user, settings: user === null ? null : settings });
    },
    async signIn(request, response) {
      checkOwnPage(request);
      const { key } = await readJsonBody(request, signInBody);
      const sent = credentialsOf({ 'x-api-key': key }, request.socket.remoteAddress);
      const { project, scope } = await signerOf(sent);
      const token = sessions.open({
        keyDigest: digestOf(keyTextOf(sent)),
        project,
        scope,
        agent: String(request.headers['user-agent'] ?? '').slice(0, limits.userAgentBytes),
        address: request.socket.remoteAddress ?? '',
      });
      setCookie(request, response, token, limits.sessionS);
      json(response, 201, { project, scope });
    },
    async signOut(request, response) {
      checkOwnPage(request);
      const token = tokenOf(request);
      if (token !== undefined) sessions.close(token);
      setCookie(request, response, '', 0);
      response.writeHead(204);
      response.end();
    },
    async list(request, response) {
      const own = mine(request);
      await checkKey(request, own);
      const listed = sessions.ofKey(own.keyDigest).map((session) => ({
        id: session.id,
        agent: session.agent,
        address: session.address,
        created_at: isoTime(session.createdMs),
        used_at: isoTime(session.usedMs),
        current: session.id === own.id,
      }));
      json(response, 200, { sessions: listed });
    },
    async end(request, response) {
      checkOwnPage(request);
      const { keyDigest } = mine(request);
      if (!sessions.closeOfKey(keyDigest, String(request.params.id))) {
        throw new AppError('not_found', 'there is no such session of this key');
      }
      response.writeHead(204);
      response.end();
    },
  };
}

const signInBody = z.strictObject({
  key: z.string().min(1).describe('a key with scope read or admin, or ROLLCALL_ADMIN_KEY'),
});

/**
 * A page of another origin, even of another port of this host, can make the browser send the cookie, but it
 * cannot add this header: that needs a preflight (CORS), which is refused.
 * @throws AppError `forbidden`
 */
function checkOwnPage({ headers }: ApiRequest): void {
  const site = headers['sec-fetch-site'];
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (headers['x-rollcall-page'] !== undefined && !isForeign) return;
  const message =
    'a session acts only for the dashboard’s own page: programs send a key, as Authorization: Bearer KEY';
  throw new AppError('forbidden', message);
}

/** Cookies know no ports: two analyzers of one host would sign each other out under one name. */
const cookieName = ({ socket }: ApiRequest): string => `rollcall_session_${socket.localPort ?? 0}`;

function tokenOf(request: ApiRequest): string | undefined {
  const name = cookieName(request);
  for (const cookie of (request.headers.cookie ?? '').split(';')) {
    const [found, token] = cookie.trim().split('=', 2);
    if (found === name && token !== undefined && /^[\w-]{43}$/.test(token)) return token;
  }
  return undefined;
}

function setCookie(
  request: ApiRequest,
  response: ServerResponse,
  token: string,
  maxAgeS: number,
): void {
  const isTls =
    'encrypted' in request.socket || /^https\b/i.test(String(request.headers['x-forwarded-proto']));
  const parts = [
    `${cookieName(request)}=${token}`,
    `Max-Age=${maxAgeS}`,
    `Path=${knownPrefix(request) ?? ''}/`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isTls ? ['Secure'] : []),
  ];
  response.setHeader('Set-Cookie', parts.join('; '));
}

function json(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}
