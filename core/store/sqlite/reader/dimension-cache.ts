import type { Database, Statement } from '../database.ts';

/** Rows remembered of each kind; past it all are forgotten, since reading them again is cheap. */
const rowsRemembered = 200_000;

export interface CallContextValues {
  serviceVersion: string;
  consumer: string;
  agent: string;
}

/**
 * The words of client and origin rows, remembered from report to report. A row changes only when privacy is
 * switched on and its address taken out (old-addresses.ts), which is counted.
 */
export class DimensionCache {
  readonly #clients = new Map<number, string>();
  readonly #origins = new Map<number, CallContextValues>();
  readonly #readClient: Statement;
  readonly #readOrigin: Statement;
  readonly #readForgotten: Statement;
  #forgotten: unknown;

  constructor(db: Database) {
    this.#readClient = db.prepare('SELECT address FROM client WHERE id = ?').pluck();
    this.#readOrigin = db.prepare(
      'SELECT service_version AS serviceVersion, consumer, agent FROM origin WHERE id = ?',
    );
    this.#readForgotten = db
      .prepare("SELECT value FROM meta WHERE key = 'addresses_forgotten'")
      .pluck();
  }

  /** At the beginning of a snapshot. */
  keepUp(): void {
    const forgotten = this.#readForgotten.get();
    if (forgotten === this.#forgotten) return;
    this.#forgotten = forgotten;
    this.#clients.clear();
    this.#origins.clear();
  }

  /** The address of a client row; empty for 0, the unknown client. */
  client(row: number): string {
    if (row === 0) return '';
    return remembered(this.#clients, row, this.#readClient);
  }

  origin(row: number): CallContextValues {
    return remembered(this.#origins, row, this.#readOrigin);
  }
}

function remembered<T>(known: Map<number, T>, row: number, read: Statement): T {
  let words = known.get(row);
  if (words === undefined) {
    words = read.get(row) as T;
    if (known.size >= rowsRemembered) known.clear();
    known.set(row, words);
  }
  return words;
}
