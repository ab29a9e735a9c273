import { limits } from '../limits.ts';
import { hourS } from '../window.ts';

/** What is known of the process that used a spelling; '' is unknown. */
export interface UsedBy {
  /** `service.version`. */
  version: string;
  /** Which process it was: `service.instance.id` or another attribute that says so. */
  instance: string;
}

/** When one spelling was used by one `UsedBy`. */
interface Use {
  firstMs: number;
  lastMs: number;
  /** Hours since the epoch, ascending; the latest `limits.sideBySideHoursKept`. */
  hours: number[];
}

/** Uses of the spellings of one shape: by `UsedBy`, then by spelling. */
type Group = Map<string, Map<number, Use>>;

/**
 * Tells spellings that a service uses side by side from spellings that follow each other
 * (docs/decisions/0010-endpoint-identity.md). Ends of calls decide, so neither the order of arrival nor the
 * cuts between batches change the answer while the bounds are kept: groups, `UsedBy`s of a group, hours.
 * Past a bound the oldest is dropped. Then a pair is found later or not at all, and stays one endpoint.
 */
export class SideBySide {
  readonly #groups = new Map<number, Group>();

  /** How many groups are remembered. */
  get size(): number {
    return this.#groups.size;
  }

  clear(): void {
    this.#groups.clear();
  }

  /**
   * Notes a call of a spelling of which others of its shape are known.
   * @param group number of project, service, environment, method and shape
   * @param isDecided whether the pair of this spelling and another is found already
   * @returns the spellings that are found to be used side by side with this one
   */
  note(
    group: number,
    spelling: number,
    { version, instance }: UsedBy,
    endMs: number,
    isDecided: (other: number) => boolean,
  ): number[] {
    const uses = usesBy(this.#group(group), `${version}\0${instance}`);
    if (!widen(uses, spelling, endMs)) return [];
    const own = uses.get(spelling)!;
    const isBuild = version !== '' || instance !== '';
    const found: number[] = [];
    for (const [other, use] of uses) {
      if (other === spelling || isDecided(other)) continue;
      const beside = isBuild ? areInterleaved(own, use) : areInTurn(own.hours, use.hours);
      if (beside) found.push(other);
    }
    return found;
  }

  /** The group, which becomes the youngest. */
  #group(number: number): Group {
    const group = this.#groups.get(number) ?? new Map();
    this.#groups.delete(number);
    this.#groups.set(number, group);
    dropOldest(this.#groups, limits.sideBySideGroups);
    return group;
  }
}

function usesBy(group: Group, key: string): Map<number, Use> {
  let uses = group.get(key);
  if (uses === undefined) {
    uses = new Map();
    group.set(key, uses);
    dropOldest(group, limits.sideBySideBuilds);
  }
  return uses;
}

/** @returns false when the call tells nothing new */
function widen(uses: Map<number, Use>, spelling: number, endMs: number): boolean {
  const hour = Math.floor(endMs / 1000 / hourS);
  const use = uses.get(spelling);
  if (use === undefined) {
    if (uses.size >= limits.spellingsPerShape) return false;
    uses.set(spelling, { firstMs: endMs, lastMs: endMs, hours: [hour] });
    return true;
  }
  const isWithin = endMs >= use.firstMs && endMs <= use.lastMs;
  if (isWithin && use.hours.includes(hour)) return false;
  use.firstMs = Math.min(use.firstMs, endMs);
  use.lastMs = Math.max(use.lastMs, endMs);
  if (!use.hours.includes(hour)) {
    use.hours.push(hour);
    use.hours.sort((a, b) => a - b);
    if (use.hours.length > limits.sideBySideHoursKept) use.hours.shift();
  }
  return true;
}

/** One was used before and after a use of the other: no deployment in one direction does that. */
function areInterleaved(a: Use, b: Use): boolean {
  return a.firstMs < b.lastMs && b.firstMs < a.lastMs;
}

/** Hours in which both were used, and changes from one to the other between hours, are enough. */
function areInTurn(a: readonly number[], b: readonly number[]): boolean {
  let evidence = 0;
  let last = '';
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const hourA = a[i] ?? Number.POSITIVE_INFINITY;
    const hourB = b[j] ?? Number.POSITIVE_INFINITY;
    const used = hourA === hourB ? 'both' : hourA < hourB ? 'a' : 'b';
    if (used === 'both' || (last !== '' && last !== 'both' && used !== last)) evidence += 1;
    if (used !== 'b') i += 1;
    if (used !== 'a') j += 1;
    last = used;
  }
  return evidence >= limits.sideBySideHours;
}

function dropOldest(map: Map<unknown, unknown>, most: number): void {
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
