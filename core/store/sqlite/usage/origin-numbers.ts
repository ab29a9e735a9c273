import { grown } from '../../../column.ts';
import type { Database, Statement } from '../database.ts';

/**
 * What roll-up needs of each origin row: the number of its service version, whether its agent is a bot, and whether
 * its calls count as use. Rows are read once and kept in columns, by origin row.
 */
export class OriginNumbers {
  /** 0 where the row is not read yet. */
  #version = new Int32Array(1024);
  #isBot = new Uint8Array(1024);
  #isIgnored = new Uint8Array(1024);
  readonly #read: Statement;

  constructor(db: Database) {
    this.#read = db
      .prepare(
        'SELECT v.id, o.bot, o.ignored FROM origin o JOIN service_version v ON v.name = o.service_version WHERE o.id = ?',
      )
      .raw();
  }

  /** Row of `service_version`. */
  version(origin: number): number {
    return this.#version[origin] || this.#load(origin);
  }

  isBot(origin: number): boolean {
    if (!this.#version[origin]) this.#load(origin);
    return this.#isBot[origin] === 1;
  }

  /** Whether its calls count as use of an endpoint: no bot, no consumer of ROLLCALL_IGNORE_CONSUMERS. */
  counts(origin: number): boolean {
    if (!this.#version[origin]) this.#load(origin);
    return this.#isBot[origin] === 0 && this.#isIgnored[origin] === 0;
  }

  /** To be called after a rollback: another origin may get a row that was read. */
  forget(): void {
    this.#version.fill(0);
  }

  #load(origin: number): number {
    const [version, bot, ignored] = this.#read.get(origin) as [number, number, number];
    if (origin >= this.#version.length) {
      const length = 2 ** Math.ceil(Math.log2(origin + 1));
      this.#version = grown(this.#version, length);
      this.#isBot = grown(this.#isBot, length);
      this.#isIgnored = grown(this.#isIgnored, length);
    }
    this.#isBot[origin] = bot;
    this.#isIgnored[origin] = ignored;
    this.#version[origin] = version;
    return version;
  }
}
