import { createHash, randomBytes } from 'node:crypto';
import { limits } from '../../core/limits.ts';

/**
 * Dashboard sessions, opened with a key. The browser holds a random token; the process holds its digest and the
 * key's digest, from which neither can be computed. Every request checks the key again, so a revoked key ends
 * its sessions within a second. Sessions end with the process.
 */
export interface Session {
  /** Names the session in lists; opens nothing. */
  id: string;
  keyDigest: Buffer;
  /** Null for the operator, who has every project. */
  project: string | null;
  scope: 'read' | 'admin' | 'operator';
  createdMs: number;
  usedMs: number;
  /** The browser, as it named itself when it signed in, and its address. */
  agent: string;
  address: string;
}

export class Sessions {
  readonly #now: () => number;
  /** By the token's digest, in the order of the last use. */
  readonly #sessions = new Map<string, Session>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @returns the token, which is nowhere else. Past the bound of a key, or of all, the session ends that was unused
   *   longest: of that key, or of the project that has most. So no project signs out the people of another one.
   */
  open(signedIn: Omit<Session, 'id' | 'createdMs' | 'usedMs'>): string {
    const own = this.ofKey(signedIn.keyDigest).length;
    if (own >= limits.sessionsPerKey)
      this.#endOldest((one) => one.keyDigest.equals(signedIn.keyDigest));
    else if (this.#sessions.size >= limits.sessions) {
      const busiest = this.#busiestProject();
      this.#endOldest(({ project }) => project === busiest);
    }
    const token = randomBytes(32).toString('base64url');
    const id = randomBytes(8).toString('hex');
    const nowMs = this.#now();
    this.#sessions.set(digest(token), { ...signedIn, id, createdMs: nowMs, usedMs: nowMs });
    return token;
  }

  #endOldest(isOf: (session: Session) => boolean): void {
    for (const [key, session] of this.#sessions) {
      if (!isOf(session)) continue;
      this.#sessions.delete(key);
      return;
    }
  }

  #busiestProject(): string | null {
    const counts = new Map<string | null, number>();
    for (const { project } of this.#sessions.values()) {
      counts.set(project, (counts.get(project) ?? 0) + 1);
    }
    return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
  }

  /** The session of a token, unless it is over; using it prolongs it. */
  find(token: string): Session | undefined {
    const key = digest(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    this.#sessions.delete(key);
    if (this.expiresMs(session) <= this.#now()) return undefined;
    session.usedMs = this.#now();
    this.#sessions.set(key, session);
    return session;
  }

  expiresMs({ createdMs, usedMs }: Session): number {
    const { sessionS, sessionIdleS } = limits;
    return Math.min(createdMs + sessionS * 1000, usedMs + sessionIdleS * 1000);
  }

  close(token: string): void {
    this.#sessions.delete(digest(token));
  }

  /** Those that were opened with the same key, latest use first. */
  ofKey(keyDigest: Buffer): Session[] {
    const open = [...this.#sessions.values()].filter(
      (session) => session.keyDigest.equals(keyDigest) && this.expiresMs(session) > this.#now(),
    );
    return open.reverse();
  }

  /** @returns whether there was one of this id that the same key opened */
  closeOfKey(keyDigest: Buffer, id: string): boolean {
    for (const [key, session] of this.#sessions) {
      if (session.id !== id || !session.keyDigest.equals(keyDigest)) continue;
      return this.#sessions.delete(key);
    }
    return false;
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');
