import { AppError } from '../error.ts';
import { limits } from '../limits.ts';

/**
 * The bytes of all bodies in memory, as they arrived. A body's share grows with every piece that comes, so
 * announcing a length costs a sender's neighbours nothing. A piece that does not fit is refused, never
 * queued; before that, bodies that stopped coming lose their share.
 */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #now: () => number;
  readonly #shares = new Set<BodyShare>();
  readonly #connections = new Map<object, Owner>();
  readonly #addresses = new Map<string, Owner>();
  readonly #projects = new Map<string, Owner>();
  /** Of all shares but the overdrawn one, and of those of them above `limits.smallBodyBytes`. */
  #bytes = 0;
  #largeBytes = 0;
  /** The one large body that is counted apart, so that large bodies cannot refuse each other for ever. */
  #overdrawn: BodyShare | undefined;
  /** When progress is judged next. */
  #judgeMs = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds, monotonic */
  constructor(bytesMax: number, now: () => number = () => performance.now()) {
    this.#bytesMax = bytesMax;
    this.#now = now;
  }

  get bytes(): number {
    return this.#bytes + (this.#overdrawn?.bytes ?? 0);
  }

  /**
   * Reserves a share for a body of which no byte has arrived.
   * @param declaredBytes the declared length, if any: one that does not fit is refused before the body is read
   * @throws AppError `overloaded`
   */
  admit(sender: Sender, declaredBytes = 0): Share {
    const owners = [
      ownerIn(this.#connections, sender.connection, this.#bytesMax / 2),
      ownerIn(this.#addresses, sender.address, this.#bytesMax * ownersPart),
      ownerIn(this.#projects, sender.project, this.#bytesMax * ownersPart),
    ];
    const share = new BodyShare(this, owners);
    this.#shares.add(share);
    for (const owner of owners) owner.shares += 1;
    if (this.#fits(share, declaredBytes) || this.#mayOverdraw(declaredBytes)) return share;
    this.#reclaim();
    if (this.#fits(share, declaredBytes)) return share;
    this.release(share);
    throw this.#full(declaredBytes);
  }

  /** For shares: counts bytes that came. @throws AppError `overloaded`, and then they are not counted */
  grow(share: BodyShare, bytes: number): void {
    if (!this.#shares.has(share)) return;
    if (!this.#fits(share, bytes)) {
      if (!this.#mayOverdraw(share.bytes + bytes)) this.#reclaim();
      if (!this.#fits(share, bytes)) this.#overdraw(share, bytes);
    }
    this.#count(share, bytes);
  }

  /** For shares: gives all of their bytes back. */
  release(share: BodyShare): void {
    if (!this.#shares.delete(share)) return;
    this.#count(share, -share.bytes);
    if (share === this.#overdrawn) this.#overdrawn = undefined;
    for (const owner of share.owners) {
      owner.shares -= 1;
      if (owner.shares === 0) owner.forget();
    }
  }

  #count(share: BodyShare, bytes: number): void {
    const before = share.bytes;
    share.bytes += bytes;
    if (share === this.#overdrawn) return;
    this.#bytes += bytes;
    this.#largeBytes += largeBytesOf(share.bytes) - largeBytesOf(before);
    for (const owner of share.owners) owner.bytes += bytes;
  }

  /** Whether this many more bytes keep every bound. Large bodies leave a part of the budget to small ones. */
  #fits(share: BodyShare, bytes: number): boolean {
    if (share === this.#overdrawn) return true;
    for (const owner of share.owners) if (owner.bytes + bytes > owner.bytesMax) return false;
    const more = largeBytesOf(share.bytes + bytes) - largeBytesOf(share.bytes);
    if (more > 0 && this.#largeBytes + more > this.#bytesMax * largePart) return false;
    return this.#bytes + bytes <= this.#bytesMax;
  }

  #mayOverdraw(declaredBytes: number): boolean {
    return this.#overdrawn === undefined && isLarge(declaredBytes);
  }

  /** @throws AppError `overloaded` when another body is overdrawn, or this one is small */
  #overdraw(share: BodyShare, bytes: number): void {
    if (!this.#mayOverdraw(share.bytes + bytes)) throw this.#full(bytes);
    const { bytes: held } = share;
    this.#count(share, -held);
    this.#overdrawn = share;
    this.#count(share, held);
  }

  /**
   * Reclaims the shares of bodies that arrived too slowly since the last check. Runs only when the budget is
   * exhausted: a slow sender beside free memory does no harm.
   */
  #reclaim(): void {
    const nowMs = this.#now();
    if (nowMs < this.#judgeMs) return;
    this.#judgeMs = nowMs + limits.bodyProgressMs;
    for (const share of this.#shares) {
      if (share.lose === undefined) continue;
      const elapsedMs = nowMs - share.seenMs;
      if (share.seenBytes >= 0 && elapsedMs >= limits.bodyProgressMs) {
        const bytesPerS = ((share.bytes - share.seenBytes) / elapsedMs) * 1000;
        // Who holds much must bring more: or a few connections would hold the whole budget at little cost.
        const least = Math.max(limits.bodyBytesPerS, share.seenBytes / limits.bodyS);
        if (bytesPerS < least) {
          share.lose(tooSlow(bytesPerS, least));
          this.release(share);
          continue;
        }
      }
      share.seenBytes = share.bytes;
      share.seenMs = nowMs;
    }
  }

  #full(bytes: number): AppError {
    return new AppError(
      'overloaded',
      `${this.bytes} bytes of bodies are in flight; ${bytes} more pass a bound: ${this.#bytesMax} for all, of which large bodies, an address and a project get a part`,
    );
  }
}

/** Who sends a body. Each of the three may hold a part of the budget only. */
export interface Sender {
  /** The socket or session. */
  connection: object;
  address: string;
  project: string;
}

/** One body's part of the budget. */
export interface Share {
  /** Counts bytes that came. @throws AppError `overloaded` */
  grow(bytes: number): void;
  /** Called at most once, when the body comes too slowly for others to wait; the share is then given back. */
  whenLost(lose: (error: AppError) => void): void;
  /** The body is whole: from here on it is not slow. */
  whole(): void;
  /** Gives the bytes back; a second time does nothing. */
  release(): void;
}

class BodyShare implements Share {
  readonly owners: readonly Owner[];
  readonly #budget: ByteBudget;
  bytes = 0;
  /** Bytes at the last look for slow bodies, and when it was; -1 before the first. */
  seenBytes = -1;
  seenMs = 0;
  lose: ((error: AppError) => void) | undefined;

  constructor(budget: ByteBudget, owners: readonly Owner[]) {
    this.#budget = budget;
    this.owners = owners;
  }

  grow(bytes: number): void {
    this.#budget.grow(this, bytes);
  }

  whenLost(lose: (error: AppError) => void): void {
    this.lose = lose;
  }

  whole(): void {
    this.lose = undefined;
  }

  release(): void {
    this.lose = undefined;
    this.#budget.release(this);
  }
}

/** A connection, an address or a project that bodies come from. */
interface Owner {
  bytes: number;
  readonly bytesMax: number;
  shares: number;
  forget(): void;
}

function ownerIn<K>(owners: Map<K, Owner>, key: K, bytesMax: number): Owner {
  let owner = owners.get(key);
  if (owner === undefined) {
    owner = { bytes: 0, bytesMax, shares: 0, forget: () => owners.delete(key) };
    owners.set(key, owner);
  }
  return owner;
}

function isLarge(bytes: number): boolean {
  return bytes > limits.smallBodyBytes;
}

function largeBytesOf(bytes: number): number {
  return isLarge(bytes) ? bytes : 0;
}

function tooSlow(bytesPerS: number, least: number): AppError {
  const came = `the body came at ${Math.round(bytesPerS)} bytes/s while bodies in flight had reached their bound`;
  return new AppError('overloaded', `${came}; it must then come at ${Math.round(least)} bytes/s`);
}

/** Of the budget: for all bodies above `limits.smallBodyBytes`; for one address or project. */
const largePart = 3 / 4;
const ownersPart = 7 / 8;
