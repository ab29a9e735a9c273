import { type InnerEvidence, joinedRoute } from '../core/joined-route.ts';
import type { Route } from '../core/route.ts';
import type { Joins } from './joins.ts';
import { AttributeSlots, valueKind } from './otlp/attributes.ts';
import type { TracesWalk } from './otlp/traces.ts';
import { slot, wantedAttributes } from './span-attributes.ts';

/**
 * What the outer span of a call lacks and an inner one has: its status, method and path, and the route. Time,
 * client and all the rest are the outer span's (OTLP.md X2).
 */
export class JoinedEvidence {
  readonly #joins: Joins;
  readonly #walk: TracesWalk;
  readonly #inner: AttributeSlots;

  constructor(joins: Joins, walk: TracesWalk) {
    this.#joins = joins;
    this.#walk = walk;
    this.#inner = new AttributeSlots(walk.cursor, wantedAttributes([]).keys);
  }

  /** Adds to the attributes of the walk's span. @param span its place in `joins.spans`; -1: it has none */
  fill(span: number): void {
    const { spans } = this.#joins;
    for (const inner of this.#joins.innerOf(span)) {
      // An INTERNAL span tells of routes only.
      if (inner >= spans.servers) continue;
      this.#read(spans.start[inner]!, spans.end[inner]!);
      for (const slots of copied) this.#copyMissing(slots);
    }
  }

  /** @param own the route by what the outer span says */
  routeOf(span: number, own: Route, path: string, method: string, status: number): Route {
    const { spans } = this.#joins;
    const inner = this.#joins.innerOf(span).map((place): InnerEvidence => {
      const route = spans.route[place]!;
      return {
        httpRoute: route === 0 ? '' : spans.text(route, spans.routeEnd[place]!),
        spanName: spans.text(spans.name[place]!, spans.nameEnd[place]!),
        isServer: place < spans.servers,
      };
    });
    return joinedRoute(own, { path, method, status }, inner);
  }

  #copyMissing(slots: readonly number[]): void {
    const { attributes } = this.#walk;
    if (slots.some((place) => attributes.kind(place) !== valueKind.none)) return;
    for (const place of slots) attributes.copy(this.#inner, place);
  }

  #read(start: number, end: number): void {
    const { cursor } = this.#walk;
    this.#inner.begin();
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag !== attributesTag) {
        cursor.skip(tag, end);
        continue;
      }
      const attributeEnd = cursor.length(end);
      this.#inner.take(cursor.at, attributeEnd);
      cursor.at = attributeEnd;
    }
  }
}

const attributesTag = 0x4a;

const copied = [
  [slot.status, slot.oldStatus],
  [slot.method, slot.oldMethod, slot.methodOriginal],
  [slot.path, slot.oldTarget, slot.url, slot.oldUrl],
  [slot.errorType],
];
