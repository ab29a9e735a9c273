import type { Scope } from '../key.ts';

/**
 * What Rollcall asks of a store about projects and their keys. Any process may write here, also beside a
 * collector that writes calls: each method is one short transaction. What belongs to a project is reached
 * only with its name; a key's id from another project is not found. What is not: the operator's view
 * (`projects`, `projectOf`), and `activeKeys`, by which a process finds out whose key it was sent.
 * Every method throws AppError `unavailable` when the store cannot be read or written now.
 */
export interface KeyStore {
  /** @throws AppError `conflict` when there is one of that name, or there are `limits.projects` */
  createProject(name: string): Promise<void>;
  /** By name. The project `default` is always there. */
  projects(): Promise<ProjectRecord[]>;
  /** @throws AppError `not_found` without the project; `conflict` at a bound of keys */
  createKey(project: string, key: StoredKey): Promise<KeyRecord>;
  /** Those in use and the last `limits.revokedKeys` revoked, oldest first. @throws AppError `not_found` */
  listKeys(project: string): Promise<KeyRecord[]>;
  /** Gives the key another secret; the old one opens nothing from here on.
   *  @throws AppError `not_found`; `conflict` when it is revoked */
  rotate(project: string, id: string, secret: Secret, nowS: number): Promise<KeyRecord>;
  /** The key opens nothing from here on. Again is no mistake. @throws AppError `not_found` */
  revoke(project: string, id: string, nowS: number): Promise<KeyRecord>;
  /** The project that a key belongs to, for whoever administers all of them. */
  projectOf(id: string): Promise<string | undefined>;
  /** Another number after every change of which keys are good. Cheap: asked several times a second. */
  version(): Promise<number>;
  /** Every key that is good, in one state with its version. */
  activeKeys(): Promise<{ version: number; keys: ActiveKey[] }>;
  /** Notes when keys were used last. Changes no version. May be refused while others write. */
  touch(uses: readonly KeyUse[]): Promise<void>;
  close(): Promise<void>;
}

export interface ProjectRecord {
  name: string;
  /** Not revoked. */
  keys: number;
}

/** What is kept of a key's text. */
export interface Secret {
  /** SHA-256, 32 bytes. */
  digest: Uint8Array;
  prefix: string;
}

export interface StoredKey extends Secret {
  id: string;
  scope: Scope;
  /** Seconds since the epoch. */
  createdS: number;
}

export interface KeyRecord {
  id: string;
  project: string;
  scope: Scope;
  prefix: string;
  /** Seconds since the epoch; null when it never happened. */
  createdS: number;
  rotatedS: number | null;
  /** Up to a minute behind. */
  lastUsedS: number | null;
  revokedS: number | null;
}

export interface ActiveKey {
  id: string;
  project: string;
  scope: Scope;
  digest: Uint8Array;
  lastUsedS: number | null;
}

export interface KeyUse {
  project: string;
  id: string;
  usedS: number;
}
