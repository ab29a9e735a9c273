import type { CallBatch, CallDictionary, EndpointName } from '../../../core/call.ts';
import { grown } from '../../../core/column.ts';
import { limits } from '../../../core/limits.ts';
import { endpointShape, pairKey } from '../../../core/store/endpoint-identity.ts';
import { SideBySide, type UsedBy } from '../../../core/store/side-by-side.ts';

/** A group of spans (ResourceSpans): its calls in the batch are those from `from` to the next group's. */
export interface SpanGroup {
  from: number;
  service: string;
  by: UsedBy;
}

/**
 * Finds the spellings of one shape that a service uses side by side, and tells the dictionary
 * (docs/decisions/0010-endpoint-identity.md). One group of spans comes from one process, and a process does not
 * rename its routes: two spellings in one group are enough. Otherwise `SideBySide` compares times.
 */
export class SpellingUses {
  readonly #dictionary: CallDictionary;
  readonly #sideBySide = new SideBySide();
  /** Shapes by their text; numbers from 1 on. */
  readonly #shapes = new Map<string, number>();
  /** By shape: the endpoint number of each spelling, by canonical route. */
  readonly #spellings: Map<string, number>[] = [new Map()];
  readonly #found = new Set<string>();

  // By endpoint number: its spelling's first number, its shape, and where that spelling was used last.
  #spelling = new Int32Array(1024);
  #shape = new Int32Array(1024);
  #lastGroup = new Int32Array(1024);
  #lastEndS = new Float64Array(1024);
  /** By endpoint number: 1 when its shape has another spelling that is not known to be side by side. */
  #isOpen = new Uint8Array(1024);
  /** How many are 1. */
  #opens = 0;

  /** The current group's serial number; wraps, and is never 0. */
  #serial = 0;

  constructor(dictionary: CallDictionary) {
    this.#dictionary = dictionary;
  }

  /** Cached numbers, as a share of `limits.internedStrings`. */
  get size(): number {
    return 2 * this.#shapes.size + this.#found.size;
  }

  clear(): void {
    this.#sideBySide.clear();
    this.#shapes.clear();
    this.#spellings.length = 1;
    this.#found.clear();
    this.#spelling.fill(0);
    this.#shape.fill(0);
    this.#lastGroup.fill(0);
    this.#isOpen.fill(0);
    this.#opens = 0;
  }

  /** Learns the name behind an endpoint number of the dictionary. */
  learn(number: number, name: EndpointName): void {
    // Made-up routes are never two endpoints because of their spelling.
    if (name.templated || !name.route.startsWith('/')) return;
    this.#makeRoom(number);
    if (this.#spelling[number] !== 0) return;
    const { project, service, environment, method, route } = name;
    const text = `${project}\0${service}\0${environment}\0${method}\0${endpointShape(route)}`;
    let shape = this.#shapes.get(text);
    if (shape === undefined) {
      shape = this.#spellings.push(new Map()) - 1;
      this.#shapes.set(text, shape);
    }
    const spellings = this.#spellings[shape]!;
    let first = spellings.get(route);
    if (first === undefined) {
      if (spellings.size >= limits.spellingsPerShape) return;
      first = number;
      spellings.set(route, number);
    }
    this.#spelling[number] = first;
    this.#shape[number] = shape;
    if (spellings.size > 1) this.#open(spellings);
  }

  /** Some service has spellings to compare: only then the instance of a group is worth reading. */
  get isWatching(): boolean {
    return this.#sideBySide.size > 0;
  }

  /** Looks at the calls of a request. @param groups its groups of spans, the last one to the batch's end */
  note(batch: CallBatch, groups: readonly SpanGroup[]): void {
    if (this.#opens === 0) return;
    const { endpoint, endS, endNs } = batch.columns;
    for (let g = 0; g < groups.length; g += 1) {
      this.#serial = (this.#serial + 1) | 0 || 1;
      const { from, by } = groups[g]!;
      const to = g + 1 < groups.length ? groups[g + 1]!.from : batch.length;
      for (let i = from; i < to; i += 1) {
        const number = endpoint[i]!;
        const spelling = this.#spelling[number];
        if (!spelling || this.#isOpen[spelling] === 0) continue;
        this.#lastGroup[spelling] = this.#serial;
        this.#lastEndS[spelling] = endS[i]!;
        this.#compare(spelling, by, endS[i]! * 1000 + endNs[i]! / 1e6);
      }
    }
  }

  #compare(spelling: number, by: UsedBy, endMs: number): void {
    const shape = this.#shape[spelling]!;
    for (const other of this.#spellings[shape]!.values()) {
      if (other === spelling || this.#lastGroup[other] !== this.#serial) continue;
      const apartS = Math.abs(endMs / 1000 - this.#lastEndS[other]!);
      if (apartS <= limits.sideBySideS) this.#find(spelling, other);
    }
    const isFound = (other: number): boolean => this.#found.has(pairKey(spelling, other));
    for (const other of this.#sideBySide.note(shape, spelling, by, endMs, isFound)) {
      this.#find(spelling, other);
    }
  }

  #find(a: number, b: number): void {
    const key = pairKey(a, b);
    if (this.#found.has(key)) return;
    this.#found.add(key);
    this.#dictionary.sideBySide(a, b);
    this.#open(this.#spellings[this.#shape[a]!]!);
  }

  /** Marks the spellings of a shape that have another one they are not known to be side by side with. */
  #open(spellings: ReadonlyMap<string, number>): void {
    for (const a of spellings.values()) {
      const isOpen = [...spellings.values()].some(
        (b) => a !== b && !this.#found.has(pairKey(a, b)),
      );
      this.#opens += (isOpen ? 1 : 0) - this.#isOpen[a]!;
      this.#isOpen[a] = isOpen ? 1 : 0;
    }
  }

  #makeRoom(number: number): void {
    if (number < this.#spelling.length) return;
    const length = Math.max(number + 1, this.#spelling.length * 2);
    this.#spelling = grown(this.#spelling, length);
    this.#shape = grown(this.#shape, length);
    this.#lastGroup = grown(this.#lastGroup, length);
    this.#lastEndS = grown(this.#lastEndS, length);
    this.#isOpen = grown(this.#isOpen, length);
  }
}
