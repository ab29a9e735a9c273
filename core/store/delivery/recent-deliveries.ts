import { limits } from '../../limits.ts';
import { DigestTable } from './digest-table.ts';

/** Bytes of a delivery's digest. */
export const digestBytes = 16;

/**
 * Recognises a delivery that was committed within the last `limits.deliveryMemoryS` seconds: the idempotency key
 * of an export request. Memory holds which row of the engine may have a digest; the engine reads the row. It
 * drops the oldest third of an hour, or earlier when more than `limits.rememberedDeliveries` came.
 */
export class RecentDeliveries {
  /** The youngest last. */
  #generations: Generation[] = [];
  /** Deliveries of the transaction in hand, as project and digest. */
  readonly #uncommitted = new Set<string>();

  /**
   * Whether this delivery is new. If so, its copies later in the same transaction are not.
   * @param project the engine's number of it: the same message in another project is another delivery
   * @param holds whether the row holds a digest that was received after `sinceS`
   */
  isNew(
    project: number,
    digest: Uint8Array,
    nowS: number,
    holds: (row: number, sinceS: number) => boolean,
  ): boolean {
    const key = `${project} ${Buffer.from(digest).toString('latin1')}`;
    if (this.#uncommitted.has(key)) return false;
    const sinceS = nowS - limits.deliveryMemoryS;
    const accept = (row: number) => holds(row, sinceS);
    for (const { table } of this.#generations) {
      if (table.some(highOf(digest), lowOf(digest, project), accept)) return false;
    }
    this.#uncommitted.add(key);
    return true;
  }

  /** The transaction in hand has ended, however it did. */
  endTransaction(): void {
    this.#uncommitted.clear();
  }

  /** Remembers a digest that is committed. @param row where the engine holds it: from 1 on, below 2^32 */
  add(project: number, digest: Uint8Array, row: number, nowS: number): void {
    this.#tableAt(nowS).add(highOf(digest), lowOf(digest, project), row);
  }

  #tableAt(nowS: number): DigestTable {
    const last = this.#generations.at(-1);
    const isOld = last !== undefined && nowS - last.fromS >= limits.deliveryMemoryS / 2;
    if (last !== undefined && !isOld && last.table.size < generationSize) return last.table;
    const table = new DigestTable();
    this.#generations.push({ fromS: nowS, table });
    if (this.#generations.length > generationsKept) this.#generations.shift();
    return table;
  }
}

/** Deliveries of half an hour, or of less when they are many. Three hold the last hour at any moment. */
interface Generation {
  fromS: number;
  table: DigestTable;
}

const generationsKept = 3;
const generationSize = Math.floor(limits.rememberedDeliveries / generationsKept);

function highOf(digest: Uint8Array): number {
  return uint32At(digest, 0);
}

function lowOf(digest: Uint8Array, project: number): number {
  return (uint32At(digest, 4) ^ Math.imul(project, 0x9e37_79b1)) >>> 0;
}

function uint32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
