import type { Scope } from '../key.ts';

/**
 * Projects and their keys in a store. Any process may write them, also beside a collector that writes calls: each
 * method is one short transaction. Methods take the project's name; the id of a key of another project is not found.
 * Exceptions are the operator's view (`projects`, `projectOf`) and `activeKeys`, with which a process finds the
 * project of a key that it received.
 * Every method throws AppError `unavailable` when the store cannot be read or written now.
 */
export interface KeyStore {
  /** @throws AppError `conflict` when the name is taken or there are `limits.projects` projects */
  createProject(name: string): Promise<void>;
  /** Ordered by name. The project `default` always exists. */
  projects(): Promise<ProjectRecord[]>;
  /** @throws AppError `not_found` without the project; `conflict` when a bound on keys is reached */
  createKey(project: string, key: StoredKey): Promise<KeyRecord>;
  /** Active keys and the last `limits.revokedKeys` revoked ones, oldest first. @throws AppError `not_found` */
  listKeys(project: string): Promise<KeyRecord[]>;
  /** Replaces the key's secret. The old one is refused from now on.
   *  @throws AppError `not_found`; `conflict` when it is revoked */
  rotate(project: string, id: string, secret: Secret, nowS: number): Promise<KeyRecord>;
  /** The key is refused from now on. Idempotent. @throws AppError `not_found` */
  revoke(project: string, id: string, nowS: number): Promise<KeyRecord>;
  /** The project that a key belongs to, for an operator who administers all projects. */
  projectOf(id: string): Promise<string | undefined>;
  /** Changes whenever the set of active keys changes. Cheap: it is read several times a second. */
  version(): Promise<number>;
  /** All active keys and the version of this state. */
  activeKeys(): Promise<{ version: number; keys: ActiveKey[] }>;
  /** Records when keys were last used. Does not change the version. May be refused while another process writes. */
  touch(uses: readonly KeyUse[]): Promise<void>;
  close(): Promise<void>;
}

export interface ProjectRecord {
  name: string;
  /** Not revoked. */
  keys: number;
}

/** The part of a key's text that is stored. */
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
