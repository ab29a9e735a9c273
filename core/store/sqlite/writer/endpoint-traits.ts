import { type EndpointNote, traitsOfText, withTraits } from '../../../endpoint-traits.ts';
import type { Database, Statement } from '../database.ts';
import type { Dimensions } from './dimensions.ts';

/** The table `endpoint_trait`. Every method runs in its caller's transaction. */
export class EndpointTraitRows {
  readonly #dimensions: Dimensions;
  readonly #find: Statement;
  readonly #keep: Statement;
  readonly #count: Statement;

  constructor(db: Database, dimensions: Dimensions) {
    this.#dimensions = dimensions;
    this.#find = db.prepare('SELECT traits FROM endpoint_trait WHERE endpoint_id = ?').pluck();
    this.#keep = db.prepare(
      'INSERT OR REPLACE INTO endpoint_trait (endpoint_id, traits) VALUES (?, ?)',
    );
    this.#count = db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'displays_changed'");
  }

  /** Writes only what changes a row. */
  take(notes: readonly EndpointNote[]): void {
    let isChanged = false;
    for (const { endpoint, traits } of notes) {
      const row = this.#dimensions.endpointRow(endpoint);
      const before = this.#find.get(row) as string | undefined;
      const known = before === undefined ? undefined : traitsOfText(before);
      const after = JSON.stringify(withTraits(known ?? {}, traits));
      if (after === (before ?? '{}')) continue;
      this.#keep.run(row, after);
      isChanged = true;
    }
    if (isChanged) this.#count.run();
  }
}
