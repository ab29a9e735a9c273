import { limits } from '../../limits.ts';
import {
  adopterOf,
  endpointShape,
  endpointsOf,
  isBucket,
  pairKey,
  type Spelling,
} from '../endpoint-identity.ts';
import { callerNumbers } from '../last-callers.ts';
import { SideBySide } from '../side-by-side.ts';
import type { Database, Statement } from './database.ts';

/** A row of `endpoint` is one spelling of a route. Rows with one `same_as` are one endpoint to a reader. */
export const spellingTables = `
  -- The canonical route without names of parameters and letter case (core/store/endpoint-identity.ts).
  ALTER TABLE endpoint ADD COLUMN shape TEXT NOT NULL DEFAULT '';
  -- The row of the endpoint's first spelling; 0 where it is this row.
  ALTER TABLE endpoint ADD COLUMN same_as INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX endpoint_by_shape ON endpoint (service_id, method, shape);
  -- Rows of one shape that one version of their service uses side by side: two endpoints for good.
  CREATE TABLE side_by_side (
    lower_id INTEGER NOT NULL,
    higher_id INTEGER NOT NULL,
    PRIMARY KEY (lower_id, higher_id)
  ) WITHOUT ROWID;
`;

interface ShapeOfRow {
  service: number;
  method: string;
  shape: string;
  templated: number;
}

/** Keeps `same_as` of the rows of a shape as `endpointsOf` says. Every method runs in its caller's transaction. */
export class Spellings {
  readonly #sql: Record<string, Statement>;

  constructor(db: Database) {
    this.#sql = {
      ofShape: db.prepare(
        `SELECT id AS row, route, display, templated, same_as AS sameAs FROM endpoint
         WHERE service_id = ? AND method = ? AND shape = ? ORDER BY id`,
      ),
      // Of the shapes that begin with a text: to its last character's successor.
      beginning: db.prepare(
        `SELECT id AS row, route, display, templated, same_as AS sameAs, shape FROM endpoint
         WHERE service_id = ? AND method = ? AND shape >= ? AND shape < ? AND templated = ?
         ORDER BY id LIMIT ?`,
      ),
      shapeOf: db.prepare(
        'SELECT service_id AS service, method, shape, templated FROM endpoint WHERE id = ?',
      ),
      pairsOf: db.prepare('SELECT higher_id FROM side_by_side WHERE lower_id = ?').pluck(),
      hasPair: db
        .prepare('SELECT 1 FROM side_by_side WHERE lower_id = ? AND higher_id = ?')
        .pluck(),
      addPair: db.prepare('INSERT INTO side_by_side VALUES (?, ?)'),
      setSameAs: db.prepare('UPDATE endpoint SET same_as = ? WHERE id = ?'),
      changed: db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'displays_changed'"),
    };
  }

  /** Rows of the shape, the oldest first. */
  ofShape(service: number, method: string, shape: string): Spelling[] {
    return this.#read(service, method, shape);
  }

  /**
   * Notes that two rows are used side by side.
   * @returns the service whose endpoints changed by that; undefined when nothing did
   */
  addPair(a: number, b: number): number | undefined {
    const lower = Math.min(a, b);
    const higher = Math.max(a, b);
    if (lower === higher || this.#sql.hasPair!.get(lower, higher) !== undefined) return undefined;
    const first = this.#sql.shapeOf!.get(lower) as ShapeOfRow;
    const second = this.#sql.shapeOf!.get(higher) as ShapeOfRow;
    const isOneShape =
      first.service === second.service &&
      first.method === second.method &&
      first.shape === second.shape;
    // A made-up route contradicts nothing.
    if (!isOneShape || first.templated === 1 || second.templated === 1) return undefined;
    this.#sql.addPair!.run(lower, higher);
    this.arrange(first.service, first.method, first.shape);
    return first.service;
  }

  /** Parts the rows of a shape into endpoints anew, and finds the endpoints of made-up routes beside them. */
  arrange(service: number, method: string, shape: string): void {
    const rows = this.#read(service, method, shape);
    if (rows.every(({ templated }) => templated)) {
      this.#arrangeMadeUp(service, method, rows);
      return;
    }
    const pairs = new Set<string>();
    if (rows.length > 1) {
      for (const { row } of rows) {
        for (const other of this.#sql.pairsOf!.all(row) as number[]) pairs.add(pairKey(row, other));
      }
    }
    const firstRows = endpointsOf(rows, pairs);
    for (const spelling of rows) this.#join(spelling, firstRows.get(spelling.row)!);
    const told = rows.filter(({ templated }) => !templated);
    const shapes = new Set<string>();
    for (const guess of this.#beginningLike(service, method, shape, true)) {
      if (guess.shape !== shape && adopterOf(guess.route, told)) shapes.add(guess.shape);
    }
    for (const other of shapes) this.#arrangeGuesses(service, method, other);
  }

  #arrangeGuesses(service: number, method: string, shape: string): void {
    const rows = this.#read(service, method, shape);
    if (rows.every(({ templated }) => templated)) this.#arrangeMadeUp(service, method, rows);
  }

  /** @param rows of one shape; the service reported none of their routes */
  #arrangeMadeUp(service: number, method: string, rows: readonly StoredSpelling[]): void {
    const [first] = rows;
    if (first === undefined) return;
    const told = this.#beginningLike(service, method, endpointShape(first.route), false);
    const adopter = adopterOf(first.route, told);
    const firstRow = adopter ? this.#firstRowOf(adopter) : first.row;
    for (const spelling of rows) this.#join(spelling, firstRow);
  }

  #join(spelling: StoredSpelling, firstRow: number): void {
    const next = firstRow === spelling.row ? 0 : firstRow;
    if (next === spelling.sameAs) return;
    this.#sql.setSameAs!.run(next, spelling.row);
    this.#sql.changed!.run();
  }

  #firstRowOf({ row, sameAs }: { row: number; sameAs?: number }): number {
    return sameAs || row;
  }

  /** Rows whose shape has the same first segment, when that is a literal and others follow. */
  #beginningLike(
    service: number,
    method: string,
    shape: string,
    templated: boolean,
  ): (StoredSpelling & { shape: string })[] {
    const [, beginning] = /^(\/[^/{},]+)\/./.exec(shape) ?? [];
    if (beginning === undefined) return [];
    const rows = this.#sql.beginning!.all(
      service,
      method,
      `${beginning}/`,
      `${beginning}0`, // the character behind the slash
      templated ? 1 : 0,
      limits.templatedRoutesPerService,
    ) as (StoredRow & { shape: string })[];
    return rows.map((row) => ({ ...row, templated }));
  }

  #read(service: number, method: string, shape: string): StoredSpelling[] {
    const rows = this.#sql.ofShape!.all(service, method, shape) as StoredRow[];
    return rows.map((row) => ({ ...row, templated: row.templated === 1 }));
  }
}

interface StoredSpelling extends Spelling {
  sameAs: number;
}

interface StoredRow extends Omit<StoredSpelling, 'templated'> {
  templated: number;
}

/** Raw calls that a migration looks at: the newest, since a store may hold hundreds of millions. */
const callsLookedAt = 1_000_000;

/**
 * Migration: gives every row its shape and joins the rows that are one endpoint. Version 0.1.0 kept no record
 * of spellings used side by side; its raw calls and last callers tell of some. Where they tell nothing the
 * rows become one endpoint, which parts again when a collector sees one process use both.
 */
export function joinSpellings(db: Database): void {
  const setShape = db.prepare('UPDATE endpoint SET shape = ? WHERE id = ?');
  const rows = db
    .prepare(
      'SELECT id, service_id AS service, method, route, templated, first_call_ms AS firstMs, last_callers AS callers FROM endpoint ORDER BY id',
    )
    .all() as OldRow[];
  const shapes = new Map<string, OldRow[]>();
  for (const row of rows) {
    const shape = endpointShape(row.route);
    setShape.run(shape, row.id);
    const key = `${row.service} ${row.method} ${shape}`;
    const own = shapes.get(key);
    if (own) own.push(row);
    else shapes.set(key, [row]);
  }
  const several = [...shapes.values()].filter((own) => own.length > 1);
  const spellings = new Spellings(db);
  for (const [a, b] of longPairs(db, several)) spellings.addPair(a, b);
  for (const [a, b] of interleavedPairs(db, several)) spellings.addPair(a, b);
  for (const own of shapes.values()) {
    const { service, method, route } = own[0]!;
    const isMadeUp = own.every(({ templated }) => templated === 1);
    // Last: a made-up route finds its endpoint among those that are arranged.
    if (own.length > 1 && !isMadeUp) spellings.arrange(service, method, endpointShape(route));
  }
  for (const own of shapes.values()) {
    const { service, method, route } = own[0]!;
    const isMadeUp = own.every(({ templated }) => templated === 1);
    if (isMadeUp && !isBucket(route)) spellings.arrange(service, method, endpointShape(route));
  }
}

interface OldRow {
  id: number;
  service: number;
  method: string;
  route: string;
  templated: number;
  firstMs: number | null;
  callers: string;
}

/** Two spellings with one version were both in use for at least so long; without a version, for longer. */
const versionedMs = limits.sideBySideHours * 3_600_000;
const unversionedMs = 14 * 86_400_000;

/**
 * Pairs that the permanent records show to be used side by side. Of a row's last callers the oldest tells which
 * version was in use before: its range begins at the row's first call.
 */
function longPairs(db: Database, shapes: readonly OldRow[][]): [number, number][] {
  const versionOf = db.prepare('SELECT service_version FROM origin WHERE id = ?').pluck();
  const pairs: [number, number][] = [];
  for (const rows of shapes) {
    const ranges = rows.flatMap((row) => {
      const { id, templated, firstMs } = row;
      if (templated === 1 || firstMs === null) return [];
      const callers = callersOf(row).toSorted((a, b) => a.atMs - b.atMs);
      const versions = callers.map(({ origin }) => versionOf.get(origin) as string | undefined);
      const version = versions[0] ?? '';
      const lastMs = callers[versions.lastIndexOf(version)]?.atMs ?? firstMs;
      return [{ id, version, firstMs, lastMs }];
    });
    for (const [i, a] of ranges.entries()) {
      for (const b of ranges.slice(i + 1)) {
        const bothMs = Math.min(a.lastMs, b.lastMs) - Math.max(a.firstMs, b.firstMs);
        const leastMs = a.version === '' ? unversionedMs : versionedMs;
        if (a.version === b.version && bothMs >= leastMs) pairs.push([a.id, b.id]);
      }
    }
  }
  return pairs;
}

function callersOf({ callers }: OldRow): { origin: number; atMs: number }[] {
  const numbers = JSON.parse(callers) as number[];
  const found: { origin: number; atMs: number }[] = [];
  for (let at = 0; at < numbers.length; at += callerNumbers) {
    found.push({ origin: numbers[at + 1]!, atMs: numbers[at + 2]! });
  }
  return found;
}

/** Pairs that raw calls and last callers show to be interleaved under one version. */
function interleavedPairs(db: Database, shapes: readonly OldRow[][]): [number, number][] {
  const groupOf = new Map<number, number>();
  for (const rows of shapes) {
    const told = rows.filter(({ templated }) => templated === 0);
    if (told.length > 1) for (const { id } of told) groupOf.set(id, told[0]!.id);
  }
  if (groupOf.size === 0) return [];
  const sideBySide = new SideBySide();
  const pairs: [number, number][] = [];
  const note = (row: number, version: string, endMs: number): void => {
    const group = groupOf.get(row);
    if (group === undefined) return;
    const isDecided = (other: number): boolean =>
      pairs.some(([a, b]) => (a === row && b === other) || (a === other && b === row));
    const found = sideBySide.note(group, row, { version, instance: '' }, endMs, isDecided);
    for (const other of found) pairs.push([row, other]);
  };
  const versionOf = db.prepare('SELECT service_version FROM origin WHERE id = ?').pluck();
  for (const row of shapes.flat()) {
    if (!groupOf.has(row.id)) continue;
    for (const { origin, atMs } of callersOf(row)) {
      note(row.id, (versionOf.get(origin) as string | undefined) ?? '', atMs);
    }
  }
  const calls = db
    .prepare(
      `SELECT c.endpoint_id, o.service_version, c.end_s * 1000 + c.end_ns / 1000000
       FROM call c JOIN origin o ON o.id = c.origin_id
       WHERE c.id > (SELECT ifnull(max(id), 0) FROM call) - ?`,
    )
    .raw();
  for (const call of calls.iterate(callsLookedAt)) {
    const [row, version, endMs] = call as [number, string, number];
    note(row, version, endMs);
  }
  return pairs;
}
