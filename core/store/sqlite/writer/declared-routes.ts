import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { limits } from '../../../limits.ts';
import type { DeclaredRoute } from '../../inventory.ts';
import {
  type InstanceRoutes,
  liveDeclarations,
  type RouteDeclaration,
  routesOfLines,
  unionOf,
} from '../../live-routes.ts';
import type { Database, Statement } from '../database.ts';
import { InventoryRows } from '../inventory/inventory-rows.ts';
import { findProject } from '../project-row.ts';

/** A service in one environment of one project. */
interface Place {
  projectId: number;
  service: string;
  environment: string;
}

/**
 * Keeps the newest declaration of each process, and the inventory that they make together. Every method runs in its
 * caller's transaction. A declaration that changes nothing costs two small statements.
 */
export class DeclaredRoutes {
  readonly #sql;
  readonly #inventories: InventoryRows;
  readonly #allowances = new Map<number, Allowance>();
  /** Of the service that `refresh` looks through next. */
  #refreshAt = 0;

  constructor(db: Database) {
    this.#sql = statements(db);
    this.#inventories = new InventoryRows(db, 'otlp_inventory');
  }

  take(declarations: readonly RouteDeclaration[], nowMs: number): void {
    const changed = new Map<string, Place>();
    for (const declaration of declarations) {
      const projectId = this.#sql.findProject.get(declaration.project) as number | undefined;
      if (projectId === undefined) continue;
      const { service, environment } = declaration;
      const place = { projectId, service, environment };
      if (!this.#mayRead(projectId, declaration.routes.length, nowMs)) continue;
      const whole = this.#whole(place, declaration);
      if (whole && this.#keep(place, whole)) changed.set(JSON.stringify(place), place);
    }
    for (const place of changed.values()) this.#merge(place, nowMs);
  }

  /** Takes back routes of versions that have ended since, of some services each time. */
  refresh(nowMs: number): void {
    const places = this.#sql.places.all() as Place[];
    if (this.#refreshAt >= places.length) this.#refreshAt = 0;
    const end = this.#refreshAt + limits.refreshedDeclarations;
    for (const place of places.slice(this.#refreshAt, end)) this.#merge(place, nowMs);
    this.#refreshAt = end;
    this.#sql.forgetParts.run(nowMs - limits.declarationPartsMs);
    this.#sql.forgetContents.run();
  }

  /** Whether a project may have so many more routes read now: a token bucket. */
  #mayRead(projectId: number, routes: number, nowMs: number): boolean {
    const allowance = this.#allowances.get(projectId) ?? {
      left: limits.declaredAtOnce,
      atMs: nowMs,
    };
    const more = (Math.max(0, nowMs - allowance.atMs) / 1000) * limits.declaredPerS;
    allowance.left = Math.min(limits.declaredAtOnce, allowance.left + more);
    allowance.atMs = nowMs;
    this.#allowances.set(projectId, allowance);
    if (routes > allowance.left) return false;
    allowance.left -= routes;
    return true;
  }

  /** The declaration with all of its parts; undefined while some are missing. */
  #whole(place: Place, declaration: RouteDeclaration): RouteDeclaration | undefined {
    const { set, part, parts, routes, deprecated, atMs, instance } = declaration;
    if (parts <= 1) return declaration;
    const key = [place.projectId, place.service, place.environment, instance, set] as const;
    this.#sql.addPart.run(...key, part, atMs, JSON.stringify({ routes, deprecated }));
    const rows = this.#sql.parts.all(...key) as { content: string }[];
    if (rows.length < parts) {
      this.#sql.dropParts.run(place.projectId, limits.declarationParts);
      return undefined;
    }
    this.#sql.deleteParts.run(...key);
    const contents = rows.map(({ content }) => JSON.parse(content) as typeof declaration);
    return {
      ...declaration,
      routes: contents.flatMap((one) => one.routes),
      deprecated: contents.flatMap((one) => one.deprecated),
    };
  }

  /** @returns whether the process declares other routes than before */
  #keep(place: Place, { version, instance, routes, deprecated, atMs }: RouteDeclaration): boolean {
    const { projectId, service, environment } = place;
    const lines = unionOf([routesOfLines(routes, deprecated)]);
    if (lines.length === 0) return false;
    const text = JSON.stringify(lines);
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
    const key = [projectId, service, environment, version, instance] as const;
    const before = this.#sql.declaration.get(...key) as
      | { digest: string; atMs: number }
      | undefined;
    if (before && before.atMs > atMs) return false;
    if (!before && !this.#hasRoom(place)) return false;
    if (before?.digest !== digest) {
      const content = gzipSync(text);
      const bytes = this.#sql.contentBytes.get(projectId) as number;
      if (bytes + content.length > limits.declarationBytes) return false;
      this.#sql.addContent.run(digest, content);
    }
    this.#sql.keep.run(...key, digest, atMs);
    this.#sql.forgetInstances.run(projectId, service, environment, limits.declaringInstances);
    return before?.digest !== digest;
  }

  #hasRoom({ projectId, service, environment }: Place): boolean {
    if (this.#sql.hasPlace.get(projectId, service, environment) !== undefined) return true;
    return (this.#sql.countPlaces.get(projectId) as number) < limits.inventoriesPerProject;
  }

  #merge(place: Place, nowMs: number): void {
    const { projectId, service, environment } = place;
    const all = this.#sql.declarations.all(projectId, service, environment) as InstanceRoutes[];
    const live = liveDeclarations(all, () => this.#lastCalls(place));
    const newestFirst = live.toSorted((a, b) => b.atMs - a.atMs);
    const digests = new Set(newestFirst.map(({ digest }) => digest));
    const lists: DeclaredRoute[][] = [];
    let read = 0;
    for (const digest of digests) {
      const content = this.#sql.content.get(digest) as Uint8Array;
      const list = JSON.parse(gunzipSync(content).toString()) as DeclaredRoute[];
      read += list.length;
      if (read > limits.mergedRoutes) break;
      lists.push(list);
    }
    const beside = this.#inventories.declaredBeside(projectId, { service, environment });
    const routes = unionOf(lists).slice(0, Math.max(0, limits.declaredRoutesPerProject - beside));
    const next = { author: '', createdMs: nowMs, format: 'otlp', routes, prefixes: [] };
    this.#inventories.replace(projectId, { service, environment }, next);
  }

  /** Of the calls that are rolled up: a version that was called seconds ago alone has declared its routes too. */
  #lastCalls({ projectId, service, environment }: Place): Map<string, number> {
    const lastMs = new Map<number, number>();
    for (const json of this.#sql.versions.all(projectId, service, environment) as string[]) {
      const versions = JSON.parse(json) as number[];
      for (let at = 0; at < versions.length; at += 4) {
        const [version, , last] = versions.slice(at, at + 3) as [number, number, number];
        lastMs.set(version, Math.max(last, lastMs.get(version) ?? 0));
      }
    }
    const byName = new Map<string, number>();
    for (const [version, last] of lastMs) {
      const name = this.#sql.versionName.get(version) as string | undefined;
      if (name !== undefined) byName.set(name, last);
    }
    return byName;
  }
}

/** Routes that a project may have read, and when it was last looked at. */
interface Allowance {
  left: number;
  atMs: number;
}

const atPlace = 'project_id = ? AND service = ? AND environment = ?';
const atSet = `${atPlace} AND instance = ? AND set_id = ?`;

function statements(db: Database) {
  return {
    findProject: findProject(db),
    addPart: db.prepare(
      `INSERT OR REPLACE INTO declaration_part
         (project_id, service, environment, instance, set_id, part, at_ms, content)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    parts: db.prepare(`SELECT content FROM declaration_part WHERE ${atSet} ORDER BY part`),
    deleteParts: db.prepare(`DELETE FROM declaration_part WHERE ${atSet}`),
    dropParts: db.prepare(
      `DELETE FROM declaration_part WHERE rowid IN (
         SELECT rowid FROM declaration_part WHERE project_id = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)`,
    ),
    forgetParts: db.prepare('DELETE FROM declaration_part WHERE at_ms < ?'),
    declaration: db.prepare(
      `SELECT digest, at_ms AS atMs FROM declaration WHERE ${atPlace} AND version = ? AND instance = ?`,
    ),
    keep: db.prepare(
      `INSERT OR REPLACE INTO declaration
         (project_id, service, environment, version, instance, digest, at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    forgetInstances: db.prepare(
      `DELETE FROM declaration WHERE rowid IN (
         SELECT rowid FROM declaration WHERE ${atPlace} ORDER BY at_ms DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    ),
    declarations: db.prepare(
      `SELECT version, instance, digest, at_ms AS atMs FROM declaration WHERE ${atPlace}`,
    ),
    hasPlace: db.prepare(`SELECT 1 FROM declaration WHERE ${atPlace} LIMIT 1`).pluck(),
    countPlaces: db
      .prepare(
        'SELECT count(*) FROM (SELECT DISTINCT service, environment FROM declaration WHERE project_id = ?)',
      )
      .pluck(),
    places: db.prepare(
      `SELECT project_id AS projectId, service, environment FROM declaration
       GROUP BY project_id, service, environment HAVING count(DISTINCT digest) > 1`,
    ),
    addContent: db.prepare(
      'INSERT OR IGNORE INTO declaration_content (digest, routes) VALUES (?, ?)',
    ),
    contentBytes: db
      .prepare(
        `SELECT ifnull(sum(length(routes)), 0) FROM declaration_content WHERE digest IN (
           SELECT digest FROM declaration WHERE project_id = ?)`,
      )
      .pluck(),
    content: db.prepare('SELECT routes FROM declaration_content WHERE digest = ?').pluck(),
    forgetContents: db.prepare(
      'DELETE FROM declaration_content WHERE digest NOT IN (SELECT digest FROM declaration)',
    ),
    versions: db
      .prepare(
        `SELECT e.versions FROM endpoint e JOIN service s ON s.id = e.service_id
         WHERE s.project_id = ? AND s.name = ? AND s.environment = ? AND e.versions <> '[]'`,
      )
      .pluck(),
    versionName: db.prepare('SELECT name FROM service_version WHERE id = ?').pluck(),
  } satisfies Record<string, Statement>;
}
