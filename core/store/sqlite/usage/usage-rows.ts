import { crc32 } from 'node:zlib';
import { DamagedError } from '../sealed.ts';
import { UsageEntries } from './usage-entries.ts';

/** Rows of usage carry the checksums of their blobs. Rows of earlier releases have none until they are rewritten. */
export const usageChecksums = `
  ALTER TABLE usage_run ADD COLUMN checksum INTEGER; -- of block, details, facts and use
  ALTER TABLE usage_block ADD COLUMN block_checksum INTEGER;
  ALTER TABLE usage_block ADD COLUMN details_checksum INTEGER;
  -- Usage that was found damaged and is not read any more: kept as it was.
  CREATE TABLE damaged_usage (
    what TEXT NOT NULL,
    block BLOB,
    details BLOB,
    facts BLOB,
    use BLOB
  );
`;

export type NoteDamage = (damage: DamagedError) => void;

/** One checksum of several blobs. */
export function checksumOf(...blobs: readonly (Uint8Array | null)[]): number {
  return blobs.reduce((sum, bytes) => (bytes === null ? sum : crc32(bytes, sum)), 0);
}

/**
 * Whether blobs are as they were written. Without a checksum: whether the first of them has the form of a usage block.
 * @param what names the row for people
 */
export function isIntact(
  blobs: readonly (Uint8Array | null)[],
  checksum: number | null,
  what: () => string,
  onDamage: NoteDamage,
): boolean {
  try {
    if (checksum === null) assertForm(blobs[0]!, what);
    else {
      const found = checksumOf(...blobs);
      if (found !== checksum) {
        throw new DamagedError(what(), `its checksum is ${checksum}, its bytes have ${found}`);
      }
    }
    return true;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    onDamage(error);
    return false;
  }
}

function assertForm(block: Uint8Array, what: () => string): void {
  const entries = new UsageEntries();
  let found = '';
  try {
    entries.addBlock(block);
    for (let i = 0; i < entries.length; i++) {
      if (entries.end[i]! > block.length || entries.end[i]! <= entries.start[i]!) {
        found = `an entry ends at byte ${entries.end[i]} of ${block.length}`;
      }
    }
  } catch (error) {
    found = (error as Error).message;
  }
  if (found !== '') throw new DamagedError(what(), found);
}

export function runName(id: number): string {
  return `usage run ${id}`;
}

export function usageBlockName(levelMinutes: number, minute: number, shard: number): string {
  const from = new Date(minute * 60_000).toISOString().slice(0, 16);
  return `usage of ${levelMinutes} min from ${from}, shard ${shard}`;
}
