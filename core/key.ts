import { createHash, randomBytes } from 'node:crypto';

/**
 * A key is text that a client sends; the store holds only its SHA-256. A key has 256 random bits, so it cannot be
 * guessed: no salt and no slow hash are needed, and a check costs a microsecond.
 */
export interface NewKey {
  /** Identifies the key in lists, rotation and revocation; not a secret. */
  id: string;
  /** `rck_` and 43 characters of base64url; shown once. */
  text: string;
  digest: Buffer;
  /** The first characters of the text, so that its owner recognises it: 48 of its 256 bits. */
  prefix: string;
}

/** What a key may do in its project: send traces; read reports; read reports and manage the project's keys. */
export const scopes = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** @param random cryptographically random bytes */
export function newKey(random: (bytes: number) => Buffer = randomBytes): NewKey {
  const text = `${keyPrefix}${random(32).toString('base64url')}`;
  return {
    id: `key_${random(8).toString('hex')}`,
    text,
    digest: digestOf(text),
    prefix: text.slice(0, shownLength),
  };
}

/** SHA-256 of a text that was sent as a key. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A project's name: characters that need no escaping in a URL or a shell. */
export const projectPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** `projectPattern` in words, for errors. */
export const projectRule =
  'letters, digits, dots, underscores and hyphens, the first a letter or digit, at most 100 characters';

const keyPrefix = 'rck_';
const shownLength = keyPrefix.length + 8;
