import { createHash, randomBytes } from 'node:crypto';

/**
 * A key: text that its holder sends, of which the store knows only the SHA-256. With 256 random bits there
 * is nothing to guess, so neither salt nor a slow hash is needed, and a request costs a microsecond.
 */
export interface NewKey {
  /** Names the key where it is listed, rotated and revoked; it opens nothing. */
  id: string;
  /** `rck_` and 43 characters of base64url; shown once. */
  text: string;
  digest: Buffer;
  /** The first characters of the text, by which its owner knows it again: 48 of its 256 bits. */
  prefix: string;
}

/** What a key may do in its project: send calls; ask; ask and administer the project's keys. */
export const scopes = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** @param random bytes that nobody can foretell */
export function newKey(random: (bytes: number) => Buffer = randomBytes): NewKey {
  const text = `${keyPrefix}${random(32).toString('base64url')}`;
  return {
    id: `key_${random(8).toString('hex')}`,
    text,
    digest: digestOf(text),
    prefix: text.slice(0, shownLength),
  };
}

/** SHA-256 of what was sent as a key, whatever it is. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A project's name: letters, digits, dot, underscore and hyphen, so that it can stand in a URL and a shell. */
export const projectPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What a project's name may be, in words. */
export const projectRule =
  'letters, digits, dots, underscores and hyphens, the first a letter or digit, at most 100 characters';

const keyPrefix = 'rck_';
const shownLength = keyPrefix.length + 8;
