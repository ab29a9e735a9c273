import type { CallContext, EndpointName, NewDimensions } from '../../../call.ts';
import { grown } from '../../../column.ts';
import { limits, specialRoutes } from '../../../limits.ts';
import { dayS } from '../../../window.ts';
import {
  type Admission,
  admitRoute,
  type EndpointCounts,
  NewEndpoints,
} from '../../endpoint-bound.ts';
import { endpointShape } from '../../endpoint-identity.ts';
import type { Database, Statement } from '../database.ts';
import { ForgottenRows } from '../forgotten.ts';
import { Spellings } from '../spellings.ts';
import type { IgnoredConsumers } from './ignored-consumers.ts';
import type { UnusedDimensions } from './unused-dimensions.ts';

/** How long a route that found no room counts for `{other}` before it is looked at again. */
const refusedForS = 3600;

/** Runs are compacted within 300 s. */
const settledAfterS = 600;

/** A list of words by their number in the sender's dictionary, with the row each has, 0 while unknown. */
class WordRows<T> {
  words: T[] = [];
  rows = new Int32Array(1024);

  add(words: readonly T[]): void {
    for (const word of words) this.words.push(word);
    if (this.words.length >= this.rows.length) {
      this.rows = grown(this.rows, this.words.length * 2);
    }
  }

  clear(): void {
    this.words = [];
    this.rows.fill(0);
  }
}

interface KnownRow {
  id: number;
  display: string;
  templated: number;
  refused: number;
}

/**
 * Turns the numbers of batches into row ids and makes rows for dimension values never seen before. A row of
 * `endpoint` is one spelling of a route (spellings.ts). Routes past the bound of their service
 * (core/store/endpoint-bound.ts) share the row `{other}` of their method. Row ids found in a transaction that
 * was rolled back are wrong: the owner then calls `forgetRows`.
 */
export class Dimensions {
  #epoch = -1;
  readonly #endpoints = new WordRows<EndpointName>();
  readonly #origins = new WordRows<CallContext>();
  readonly #clients = new WordRows<string>();
  readonly #projects = new Map<string, number>();
  readonly #services = new Map<string, number>();
  /** By service id. */
  readonly #endpointCounts = new Map<number, EndpointCounts>();
  /** Endpoints by project row, and of the store; undefined until they are counted. */
  readonly #ofProject = new Map<number, number>();
  #ofStore: number | undefined;
  readonly #newEndpoints = new NewEndpoints();
  readonly #forgotten: ForgottenRows;
  /** Of `meta`: rows in memory are of the endpoints that were there then. */
  #forgottenCount = -1;
  #nowS = 0;
  /** Numbers of endpoints that went to `{other}`, and since when: there may be room for them later. */
  readonly #refused = new Set<number>();
  #refusedS = 0;
  #openedS: number | undefined;
  /** When idle endpoints were last given up for want of room. */
  #givenUpS = Number.NEGATIVE_INFINITY;
  /** Rows of `{other}` that these words led to. */
  readonly #otherRows = new Set<number>();
  readonly #spellings: Spellings;
  /** Pairs of endpoint numbers used side by side that are in no committed transaction yet. */
  #sideBySide: [number, number][] = [];
  readonly #ignored: IgnoredConsumers;
  readonly #unused: UnusedDimensions | undefined;
  /** Rows in memory were used on this day. */
  #seenDay = 0;
  readonly #sql: Record<string, Statement>;

  /** @param unused absent where the transaction is rolled back anyway */
  constructor(db: Database, ignored: IgnoredConsumers, unused?: UnusedDimensions) {
    this.#ignored = ignored;
    this.#unused = unused;
    this.#spellings = new Spellings(db);
    this.#forgotten = new ForgottenRows(db);
    this.#sql = {
      findProject: db.prepare('SELECT id FROM project WHERE name = ?').pluck(),
      addProject: db.prepare('INSERT INTO project (name) VALUES (?)'),
      findService: db
        .prepare('SELECT id FROM service WHERE project_id = ? AND name = ? AND environment = ?')
        .pluck(),
      countServices: db.prepare('SELECT count(*) FROM service WHERE project_id = ?').pluck(),
      addService: db.prepare(
        'INSERT INTO service (project_id, name, environment) VALUES (?, ?, ?)',
      ),
      findEndpoint: db.prepare(
        'SELECT id, display, templated, refused FROM endpoint WHERE service_id = ? AND method = ? AND route = ?',
      ),
      setAnswered: db.prepare('UPDATE endpoint SET refused = 0 WHERE id = ?'),
      setTold: db.prepare('UPDATE endpoint SET templated = 0 WHERE id = ?'),
      setDisplay: db.prepare('UPDATE endpoint SET display = ? WHERE id = ?'),
      countDisplays: db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'displays_changed'"),
      countEndpoints: db.prepare(
        `SELECT ifnull(sum(same_as = 0), 0) AS endpoints, ifnull(sum(same_as <> 0), 0) AS spellings,
          ifnull(sum(templated AND same_as = 0), 0) AS templated,
          ifnull(sum(refused AND same_as = 0), 0) AS refused
         FROM endpoint WHERE service_id = ?`,
      ),
      countForgotten: db
        .prepare("SELECT value FROM meta WHERE key = 'endpoints_forgotten'")
        .pluck(),
      countOfStore: db
        .prepare("SELECT count(*) FROM endpoint WHERE same_as = 0 AND method <> ''")
        .pluck(),
      countOfProject: db
        .prepare(
          'SELECT count(*) FROM endpoint e JOIN service s ON s.id = e.service_id WHERE s.project_id = ? AND e.same_as = 0',
        )
        .pluck(),
      spellings: db.prepare('SELECT id FROM endpoint WHERE id = ? OR same_as = ?').pluck(),
      idle: db
        .prepare(
          `SELECT e.id FROM endpoint e JOIN service s ON s.id = e.service_id
           WHERE e.templated AND e.same_as = 0 AND e.last_call_ms < ? AND s.project_id = ? AND e.route NOT LIKE '(%'
           ORDER BY e.service_id <> ?, e.refused DESC, e.lifetime_calls, e.last_call_ms LIMIT ?`,
        )
        .pluck(),
      addEndpoint: db.prepare(
        'INSERT INTO endpoint (service_id, method, route, shape, templated, refused, display) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      findOrigin: db
        .prepare(
          'SELECT id FROM origin WHERE service_version = ? AND consumer = ? AND agent = ? AND bot = ? AND error_type = ?',
        )
        .pluck(),
      addOrigin: db.prepare(
        'INSERT INTO origin (service_version, consumer, agent, bot, error_type, ignored) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      findVersion: db.prepare('SELECT id FROM service_version WHERE name = ?').pluck(),
      addVersion: db.prepare('INSERT INTO service_version (name) VALUES (?)'),
      findConsumer: db.prepare('SELECT id FROM consumer WHERE name = ? AND is_agent = ?').pluck(),
      addConsumer: db.prepare('INSERT INTO consumer (name, is_agent) VALUES (?, ?)'),
      findClient: db.prepare('SELECT id FROM client WHERE address = ?').pluck(),
      addClient: db.prepare('INSERT INTO client (address) VALUES (?)'),
    };
  }

  learn(words: NewDimensions): void {
    if (words.epoch !== this.#epoch) {
      this.#epoch = words.epoch;
      this.#endpoints.clear();
      this.#origins.clear();
      this.#clients.clear();
      this.#sideBySide = [];
    }
    this.#endpoints.add(words.endpoints);
    this.#origins.add(words.origins);
    this.#clients.add(words.clients);
    this.#sideBySide.push(...words.sideBySide);
  }

  /** Before a transaction's first row, in it: drops rows that another process has forgotten. */
  keepUp(nowS: number): void {
    this.#nowS = nowS;
    this.#openedS ??= nowS;
    const today = Math.floor(nowS / dayS);
    if (today !== this.#seenDay) {
      // Looked up again, a row is seen today.
      this.#origins.rows.fill(0);
      this.#clients.rows.fill(0);
      this.#seenDay = today;
    }
    const forgotten = this.#sql.countForgotten!.get() as number;
    if (forgotten !== this.#forgottenCount) this.forgetRows();
    this.#forgottenCount = forgotten;
    if (this.#refused.size === 0 || Math.abs(nowS - this.#refusedS) < refusedForS) return;
    for (const number of this.#refused) this.#endpoints.rows[number - 1] = 0;
    this.#refused.clear();
  }

  /** Writes which spellings are used side by side. In the caller's transaction; `committed` follows. */
  writeSideBySide(): void {
    for (const [a, b] of this.#sideBySide) {
      const service = this.#spellings.addPair(this.endpointRow(a), this.endpointRow(b));
      if (service !== undefined) this.#endpointCounts.delete(service);
    }
  }

  /** The transaction is committed. */
  committed(): void {
    if (this.#sideBySide.length > 0) this.#sideBySide = [];
  }

  forgetRows(): void {
    this.#endpoints.rows.fill(0);
    this.#origins.rows.fill(0);
    this.#clients.rows.fill(0);
    this.#projects.clear();
    this.#services.clear();
    this.#endpointCounts.clear();
    this.#ofProject.clear();
    this.#ofStore = undefined;
    this.#refused.clear();
    this.#otherRows.clear();
  }

  /** How many of the rows from `from` to `to - 1` are of an `{other}`; nearly always there is none. */
  othersAmong(rows: Int32Array, from: number, to: number): number {
    let others = 0;
    if (this.#otherRows.size === 0) return others;
    for (let at = from; at < to; at += 1) if (this.#otherRows.has(rows[at]!)) others += 1;
    return others;
  }

  /** @param number of the dictionary, from 1 on */
  endpointRow(number: number): number {
    const { rows, words } = this.#endpoints;
    const known = rows[number - 1]!;
    if (known !== 0) return known;
    const word = words[number - 1]!;
    const row = this.#endpoint(word);
    rows[number - 1] = row;
    if (this.#otherRows.has(row) && word.route !== specialRoutes.other) {
      if (this.#refused.size === 0) this.#refusedS = this.#nowS;
      this.#refused.add(number);
    }
    return row;
  }

  originRow(number: number): number {
    const { rows, words } = this.#origins;
    const known = rows[number - 1]!;
    if (known !== 0) return known;
    const origin = words[number - 1]!;
    const { serviceVersion, consumer, agent, bot, errorType } = origin;
    const values = [serviceVersion, consumer, agent, bot ? 1 : 0, errorType];
    this.#findOrAdd('Version', [serviceVersion]);
    const isAgent = consumer === '' || consumer === agent;
    this.#findOrAdd('Consumer', isAgent ? [agent, 1] : [consumer, 0]);
    const found = this.#sql.findOrigin!.get(...values) as number | undefined;
    const row =
      found ?? this.#sql.addOrigin!.run(...values, this.#ignored.includes(origin) ? 1 : 0);
    this.#unused?.seeOrigin(row, this.#nowS);
    rows[number - 1] = row;
    return row;
  }

  /** 0 for an unknown client, whose number is 0. */
  clientRow(number: number): number {
    if (number === 0) return 0;
    const { rows, words } = this.#clients;
    const known = rows[number - 1]!;
    if (known !== 0) return known;
    const row = this.#findOrAdd('Client', [words[number - 1]!]);
    this.#unused?.seeClient(row, this.#nowS);
    rows[number - 1] = row;
    return row;
  }

  projectRow(name: string): number {
    let row = this.#projects.get(name);
    if (row === undefined) {
      row = this.#findOrAdd('Project', [name]);
      this.#projects.set(name, row);
    }
    return row;
  }

  #endpoint(name: EndpointName): number {
    const service = this.#service(name);
    const { method, route, templated, refused = false } = name;
    const known = this.#sql.findEndpoint!.get(service, method, route) as KnownRow | undefined;
    if (known !== undefined) {
      if (route === specialRoutes.other) this.#otherRows.add(known.id);
      this.#learnOf(known, service, name);
      return known.id;
    }
    const { display = '' } = name;
    const shape = endpointShape(route);
    const alike = this.#spellings.ofShape(service, method, shape);
    const project = this.projectRow(name.project);
    const isOther = route === specialRoutes.other;
    const admission = isOther ? 'own' : this.#admit(name, service, project, alike.length);
    if (admission === 'known') return alike.at(-1)!.row;
    if (admission === 'other') return this.#endpoint(otherOf(name));
    const counts = this.#countsOf(service);
    const values = [service, method, route, shape, templated ? 1 : 0, refused ? 1 : 0, display];
    const row = Number(this.#sql.addEndpoint!.run(...values));
    if (alike.length > 0) counts.spellings += 1;
    else {
      this.#ofProject.set(project, this.#countOfProject(project) + 1);
      this.#ofStore = this.#countOfStore() + 1;
      counts.endpoints += 1;
      if (templated) counts.templated += 1;
      if (refused) counts.refused += 1;
    }
    // Where nothing was made up there is nothing to arrange beside the shape itself.
    if (alike.length > 0 || counts.templated > 0) this.#spellings.arrange(service, method, shape);
    if (route === specialRoutes.other) this.#otherRows.add(row);
    return row;
  }

  #admit(name: EndpointName, service: number, project: number, alike: number): Admission {
    const kind = { templated: name.templated, refused: name.refused === true };
    const look = (): Admission => {
      const around = { project: this.#countOfProject(project), store: this.#countOfStore() };
      return admitRoute(this.#countsOf(service), around, kind, alike);
    };
    let admission = look();
    if (admission === 'other' && this.#giveUpIdle(service, project)) admission = look();
    const isNew = admission === 'own' && alike === 0;
    return isNew && !this.#newEndpoints.take(project, this.#nowS) ? 'other' : admission;
  }

  /** Makes room: forgets made-up routes that nobody called for long, of this service first. */
  #giveUpIdle(service: number, project: number): boolean {
    if (Math.abs(this.#nowS - this.#givenUpS) < refusedForS) return false;
    // Calls from before the start are compacted by then: the records know them.
    if (this.#nowS - this.#openedS! < settledAfterS) return false;
    this.#givenUpS = this.#nowS;
    const beforeMs = (this.#nowS - limits.idleEndpointS) * 1000;
    const most = limits.idleEndpointsAtOnce;
    const found = this.#sql.idle!.all(beforeMs, project, service, most) as number[];
    // Calls of this process's time may not be in the records yet.
    const called = new Set(this.#endpoints.rows);
    const spellings = (endpoint: number) =>
      this.#sql.spellings!.all(endpoint, endpoint) as number[];
    const idle = found.filter((endpoint) => !spellings(endpoint).some((row) => called.has(row)));
    if (idle.length === 0) return false;
    this.#forgotten.forget(idle);
    this.#forgottenCount = this.#sql.countForgotten!.get() as number;
    this.forgetRows();
    return true;
  }

  #countOfProject(project: number): number {
    let count = this.#ofProject.get(project);
    if (count === undefined) {
      count = this.#sql.countOfProject!.get(project) as number;
      this.#ofProject.set(project, count);
    }
    return count;
  }

  #countOfStore(): number {
    this.#ofStore ??= this.#sql.countOfStore!.get() as number;
    return this.#ofStore;
  }

  /** Learns from a new name of an endpoint row that exists. */
  #learnOf(known: KnownRow, service: number, name: EndpointName): void {
    const { templated, display = '', refused = false } = name;
    if (known.refused === 1 && !refused) {
      this.#sql.setAnswered!.run(known.id);
      this.#countsOf(service).refused -= 1;
    }
    if (known.templated === 1 && !templated) {
      this.#sql.setTold!.run(known.id);
      this.#countsOf(service).templated -= 1;
      this.#spellings.arrange(service, name.method, endpointShape(name.route));
    }
    // A path says nothing of how its service spells the route.
    const isTold = display !== '' || !templated;
    if (isTold && known.display !== display) {
      this.#sql.setDisplay!.run(display, known.id);
      this.#sql.countDisplays!.run();
    }
  }

  #countsOf(service: number): EndpointCounts {
    let counts = this.#endpointCounts.get(service);
    if (counts === undefined) {
      counts = this.#sql.countEndpoints!.get(service) as EndpointCounts;
      this.#endpointCounts.set(service, counts);
    }
    return counts;
  }

  #service({ project, service, environment }: EndpointName): number {
    const key = `${project}\0${service}\0${environment}`;
    let row = this.#services.get(key);
    if (row !== undefined) return row;
    const projectRow = this.projectRow(project);
    row = this.#sql.findService!.get(projectRow, service, environment) as number | undefined;
    if (row === undefined) {
      const services = this.#sql.countServices!.get(projectRow) as number;
      const bounded =
        services < limits.servicesPerProject ? [service, environment] : [specialRoutes.other, ''];
      row = this.#findOrAdd('Service', [projectRow, ...bounded]);
    }
    // Names beyond the bound are not remembered: they would fill the memory that the bound protects.
    if (this.#services.size < 2 * limits.servicesPerProject) this.#services.set(key, row);
    return row;
  }

  #findOrAdd(table: string, values: (string | number)[]): number {
    const found = this.#sql[`find${table}`]!.get(...values) as number | undefined;
    return found ?? Number(this.#sql[`add${table}`]!.run(...values));
  }
}

/** Where the calls of an endpoint past the bound go. */
function otherOf({ project, service, environment, method }: EndpointName): EndpointName {
  return { project, service, environment, method, route: specialRoutes.other, templated: false };
}
