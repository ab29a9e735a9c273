import { randomBytes } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { Pages } from './page.ts';

/**
 * Sorted lists whose next pages somebody may ask for.
 *
 * A store answers of the present only. Calls keep arriving while a client reads page after page, so a list
 * that is computed again for each page has its rows in other places: a row that moved up past the cursor
 * is in no page. The first page's list is therefore remembered with its figures, and later pages are cut
 * from it: they are of its moment, and cost no more than their own rows.
 *
 * The memory is bounded in rows and time (core/limits.ts); the list that was read longest ago is forgotten
 * first. A list that fits one page has no cursor and is not remembered.
 */
export class RememberedLists {
  readonly #lists = new Map<string, RememberedList & { usedMs: number }>();
  #rows = 0;

  /** @returns an id that only the list's own cursors hold; '' for a list that is too long to remember */
  remember(list: RememberedList, nowMs: number): string {
    const rows = list.sorted.length;
    if (rows > limits.rememberedListRows) return '';
    this.#forgetOld(nowMs, limits.rememberedListRows - rows);
    const id = randomBytes(9).toString('base64url');
    this.#lists.set(id, { ...list, usedMs: nowMs });
    this.#rows += rows;
    return id;
  }

  /** @returns undefined when the list was forgotten, or is of another project or query */
  find(id: string, project: string, query: string, nowMs: number): RememberedList | undefined {
    this.#forgetOld(nowMs, limits.rememberedListRows);
    const list = this.#lists.get(id);
    if (list?.project !== project || list.query !== query) return undefined;
    list.usedMs = nowMs;
    // A Map keeps the order of insertion: the list read last is its last.
    this.#lists.delete(id);
    this.#lists.set(id, list);
    return list;
  }

  clear(): void {
    this.#lists.clear();
    this.#rows = 0;
  }

  #forgetOld(nowMs: number, rowsMax: number): void {
    for (const [id, { usedMs, sorted }] of this.#lists) {
      if (this.#rows <= rowsMax && nowMs - usedMs < limits.rememberedListMs) return;
      this.#lists.delete(id);
      this.#rows -= sorted.length;
    }
  }
}

export interface RememberedList {
  project: string;
  query: string;
  head: object;
  sorted: Pages<unknown>;
}
