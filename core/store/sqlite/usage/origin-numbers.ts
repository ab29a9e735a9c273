import { grown } from '../../../column.ts';
import type { Database, Statement } from '../database.ts';

/**
 * What roll-up needs of each origin row: the numbers of its service version and its consumer (core/usage/consumer-tally.ts),
 * and whether its calls count as use. Rows are read once and kept in columns, by origin row.
 */
export class OriginNumbers {
  /** 0 where the row is not read yet. */
  #version = new Int32Array(1024);
  #consumer = new Int32Array(1024);
  #isIgnored = new Uint8Array(1024);
  readonly #read: Statement;

  constructor(db: Database) {
    this.#read = db
      .prepare(
        `SELECT v.id, 2 * c.id + o.bot, o.ignored
          FROM origin o JOIN service_version v ON v.name = o.service_version
          JOIN consumer c ON c.name = iif(o.consumer = '', o.agent, o.consumer) AND c.is_agent = (o.consumer IN ('', o.agent))
          WHERE o.id = ?`,
      )
      .raw();
  }

  version(origin: number): number {
    return this.#version[origin] || this.#load(origin);
  }

  consumer(origin: number): number {
    if (!this.#version[origin]) this.#load(origin);
    return this.#consumer[origin]!;
  }

  isBot(origin: number): boolean {
    return (this.consumer(origin) & 1) === 1;
  }

  /** Whether its calls count as use of an endpoint: no bot, no consumer of ROLLCALL_IGNORE_CONSUMERS. */
  counts(origin: number): boolean {
    return !this.isBot(origin) && this.#isIgnored[origin] === 0;
  }

  /** To be called after a rollback: another origin may get a row that was read. */
  forget(): void {
    this.#version.fill(0);
  }

  #load(origin: number): number {
    const [version, consumer, ignored] = this.#read.get(origin) as [number, number, number];
    if (origin >= this.#version.length) {
      const length = 2 ** Math.ceil(Math.log2(origin + 1));
      this.#version = grown(this.#version, length);
      this.#consumer = grown(this.#consumer, length);
      this.#isIgnored = grown(this.#isIgnored, length);
    }
    this.#consumer[origin] = consumer;
    this.#isIgnored[origin] = ignored;
    this.#version[origin] = version;
    return version;
  }
}
