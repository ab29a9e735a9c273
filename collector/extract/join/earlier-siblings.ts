import { sameBytes } from '../../intern/hash.ts';
import { type CallGroups, coarseStartNs, isWithin, mayShareCall } from './call-groups.ts';
import { entryKind, type SpanMemory } from './span-memory.ts';
import type { SpanTable } from './span-table.ts';

/**
 * Finds the remembered call to which a root belongs as a sibling span (docs/extraction.md X16): an exporter's
 * batch may end between the spans of one call.
 *
 * Of parallel calls it is not certain which span belongs to which call. The number of calls must not depend on
 * it. A call has one span per scope, so a span joins any call of its family that has no span of its scope yet,
 * and is a new call when there is none.
 */
export class EarlierSiblings {
  readonly #spans: SpanTable;
  readonly #groups: CallGroups;
  readonly #memory: SpanMemory;
  /** Roots of this request that joined a remembered call: their entries are added later. */
  readonly #joined: { root: number; entry: number }[] = [];

  constructor(spans: SpanTable, groups: CallGroups, memory: SpanMemory) {
    this.#spans = spans;
    this.#groups = groups;
    this.#memory = memory;
  }

  /** Begins a request. */
  begin(): void {
    this.#joined.length = 0;
  }

  /**
   * @param isExact only calls with a span that contains the other in time; otherwise overlapping times are
   *   enough, since the span's own partner may have joined another call
   * @returns an entry of the root's call, or -1
   */
  find(root: number, isExact: boolean): number {
    if (!this.#groups.mayHaveSibling(root)) return -1;
    const family = this.#family(root);
    const ends = this.#spans.endNs[root]!;
    let best = -1;
    for (const entry of family) {
      if (!this.#isInTime(root, entry, isExact) || !this.#mayJoin(root, entry, family)) continue;
      const isCloser =
        best < 0 ||
        Math.abs(this.#memory.endNs(entry) - ends) < Math.abs(this.#memory.endNs(best) - ends);
      if (isCloser) best = entry;
    }
    if (best >= 0) this.#joined.push({ root, entry: best });
    return best;
  }

  /** Remembered spans under the root's parent, of its instance, method and path. */
  #family(root: number): number[] {
    const { cursor, trace, parent, instance, request } = this.#spans;
    const memory = this.#memory;
    const family: number[] = [];
    memory.some(cursor.view, trace[root]!, (entry) => {
      if (
        memory.kind(entry) === entryKind.seen &&
        memory.get(entry, 'instance') === instance[root] &&
        memory.get(entry, 'request') === request[root] &&
        sameBytes(memory.ids, memory.parent(entry), cursor.view, parent[root]!, 8)
      ) {
        family.push(entry);
      }
      return false;
    });
    return family;
  }

  #isInTime(root: number, entry: number, isExact: boolean): boolean {
    const { startNs, endNs } = this.#spans;
    const [start, end] = [this.#memory.startNs(entry), this.#memory.endNs(entry)];
    if (!isExact) {
      const overlapNs = Math.min(endNs[root]!, end) - Math.max(startNs[root]!, start);
      return overlapNs > coarseStartNs;
    }
    return (
      isWithin(start, end, startNs[root]!, endNs[root]!) ||
      isWithin(startNs[root]!, endNs[root]!, start, end)
    );
  }

  /** Whether no span of the entry's call excludes the root. */
  #mayJoin(root: number, entry: number, family: readonly number[]): boolean {
    const memory = this.#memory;
    for (const other of family) {
      if (!this.#isOfOneCall(other, entry)) continue;
      const [scope, connection] = [memory.get(other, 'scope'), memory.get(other, 'connection')];
      if (!this.#mayShare(root, [scope], connection)) return false;
    }
    return this.#joined.every(
      (joined) =>
        !this.#isOfOneCall(joined.entry, entry) ||
        this.#mayShare(
          root,
          this.#groups.scopesOf(joined.root),
          this.#spans.connection[joined.root]!,
        ),
    );
  }

  #mayShare(root: number, scopes: readonly number[], connection: number): boolean {
    const own = this.#spans.connection[root]!;
    return this.#groups
      .scopesOf(root)
      .every((scope) => mayShareCall(scopes, connection, scope, own));
  }

  #isOfOneCall(entry: number, other: number): boolean {
    const { ids } = this.#memory;
    return sameBytes(ids, this.#memory.by(entry), ids, this.#memory.by(other), 8);
  }
}
