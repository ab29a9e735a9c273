import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import type {
  ActiveKey,
  KeyRecord,
  KeyStore,
  KeyUse,
  ProjectRecord,
  Secret,
  StoredKey,
} from '../keys.ts';
import type { Database, Statement } from './database.ts';
import { findProject, projectRow } from './project-row.ts';
import { openRecords, type RowTransactions } from './short-transactions.ts';

/**
 * Projects and keys in the store's file.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteKeys(path: string): Promise<KeyStore> {
  return openRecords(path, SqliteKeys, 'keys');
}

export class SqliteKeys implements KeyStore {
  readonly #db: Database;
  readonly #rows: RowTransactions;
  readonly #sql;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#db = db;
    this.#rows = rows;
    this.#sql = statements(db);
  }

  async createProject(name: string): Promise<void> {
    await this.#rows.write(() => {
      if (this.#sql.findProject.get(name) !== undefined) {
        throw new AppError('conflict', `there is a project "${name}" already`);
      }
      const projects = this.#sql.countProjects.get() as number;
      refuseFull(projects, limits.projects, 'projects in this store');
      this.#sql.addProject.run(name);
    });
  }

  async projects(): Promise<ProjectRecord[]> {
    return this.#rows.read(() => this.#sql.projects.all() as ProjectRecord[]);
  }

  async createKey(project: string, key: StoredKey): Promise<KeyRecord> {
    return this.#rows.write(() => {
      const projectId = projectRow(this.#sql.findProject, project);
      const { all, own } = this.#sql.countKeys.get(projectId) as { all: number; own: number };
      refuseFull(own, limits.keysPerProject, `keys in use in project "${project}"`);
      refuseFull(all, limits.keys, 'keys in use in this store');
      const { id, scope, digest, prefix, createdS } = key;
      this.#sql.addKey.run(id, projectId, scope, digest, prefix, createdS);
      this.#sql.change.run();
      return this.#key(project, id);
    });
  }

  async listKeys(project: string): Promise<KeyRecord[]> {
    return this.#rows.read(() => {
      projectRow(this.#sql.findProject, project);
      return this.#sql.keys.all(project, null) as KeyRecord[];
    });
  }

  async rotate(
    project: string,
    id: string,
    { digest, prefix }: Secret,
    nowS: number,
  ): Promise<KeyRecord> {
    return this.#rows.write(() => {
      if (this.#key(project, id).revokedS !== null) {
        throw new AppError('conflict', `key ${id} is revoked: create another one`);
      }
      this.#sql.rotate.run(digest, prefix, nowS, id);
      this.#sql.change.run();
      return this.#key(project, id);
    });
  }

  async revoke(project: string, id: string, nowS: number): Promise<KeyRecord> {
    return this.#rows.write(() => {
      const key = this.#key(project, id);
      if (key.revokedS !== null) return key;
      this.#sql.revoke.run(nowS, id);
      this.#sql.forget.run(project, limits.revokedKeys);
      this.#sql.change.run();
      return { ...key, revokedS: nowS };
    });
  }

  async projectOf(id: string): Promise<string | undefined> {
    return this.#rows.read(() => this.#sql.projectOf.get(id) as string | undefined);
  }

  async version(): Promise<number> {
    return this.#rows.glance(() => this.#sql.version.get() as number);
  }

  async activeKeys(): Promise<{ version: number; keys: ActiveKey[] }> {
    return this.#rows.read(() => ({
      version: this.#sql.version.get() as number,
      keys: this.#sql.active.all() as ActiveKey[],
    }));
  }

  /** Without waiting for the disk or another process: a crash may lose a use, never the file. */
  async touch(uses: readonly KeyUse[]): Promise<void> {
    this.#db.pragma('synchronous = NORMAL');
    // Begins and ends before `write` returns.
    const written = this.#rows.write(() => {
      for (const { project, id, usedS } of uses) this.#sql.touch.run(usedS, id, project, usedS);
    }, 0);
    this.#db.pragma('synchronous = FULL');
    await written;
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #key(project: string, id: string): KeyRecord {
    const [key] = this.#sql.keys.all(project, id) as KeyRecord[];
    if (key !== undefined) return key;
    throw new AppError('not_found', `there is no key ${id} in project "${project}"`);
  }
}

function refuseFull(count: number, most: number, what: string): void {
  if (count < most) return;
  throw new AppError('conflict', `there are ${count} ${what}; the bound is ${most}`);
}

const keyColumns = `k.id, p.name AS project, k.scope, k.prefix, k.created_s AS createdS,
  k.rotated_s AS rotatedS, k.last_used_s AS lastUsedS, k.revoked_s AS revokedS`;
const keysOfProjects = 'access_key k JOIN project p ON p.id = k.project_id';

function statements(db: Database) {
  return {
    findProject: findProject(db),
    // One without a name holds forgotten endpoints (forgotten.ts).
    countProjects: db.prepare("SELECT count(*) FROM project WHERE name <> ''").pluck(),
    addProject: db.prepare('INSERT INTO project (name) VALUES (?)'),
    projects: db.prepare(
      `SELECT p.name, count(k.id) AS keys FROM project p
       LEFT JOIN access_key k ON k.project_id = p.id AND k.revoked_s IS NULL
       WHERE p.name <> '' GROUP BY p.id ORDER BY p.name`,
    ),
    countKeys: db.prepare(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE project_id = ?) AS own
       FROM access_key WHERE revoked_s IS NULL`,
    ),
    addKey: db.prepare(
      `INSERT INTO access_key (id, project_id, scope, digest, prefix, created_s) VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    keys: db.prepare(
      `SELECT ${keyColumns} FROM ${keysOfProjects}
       WHERE p.name = ? AND k.id = ifnull(?, k.id) ORDER BY k.created_s, k.rowid`,
    ),
    rotate: db.prepare(
      'UPDATE access_key SET digest = ?, prefix = ?, rotated_s = ?, last_used_s = NULL WHERE id = ?',
    ),
    revoke: db.prepare('UPDATE access_key SET digest = NULL, revoked_s = ? WHERE id = ?'),
    forget: db.prepare(
      `DELETE FROM access_key WHERE rowid IN (
         SELECT k.rowid FROM ${keysOfProjects} WHERE p.name = ? AND k.revoked_s IS NOT NULL
         ORDER BY k.revoked_s DESC, k.rowid DESC LIMIT -1 OFFSET ?)`,
    ),
    projectOf: db.prepare(`SELECT p.name FROM ${keysOfProjects} WHERE k.id = ?`).pluck(),
    change: db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'keys_changed'"),
    version: db.prepare("SELECT value FROM meta WHERE key = 'keys_changed'").pluck(),
    active: db.prepare(
      `SELECT k.id, p.name AS project, k.scope, k.digest, k.last_used_s AS lastUsedS
       FROM ${keysOfProjects} WHERE k.revoked_s IS NULL`,
    ),
    touch: db.prepare(
      `UPDATE access_key SET last_used_s = ? WHERE id = ? AND revoked_s IS NULL
         AND project_id = (SELECT id FROM project WHERE name = ?) AND ifnull(last_used_s, 0) < ?`,
    ),
  } satisfies Record<string, Statement>;
}
