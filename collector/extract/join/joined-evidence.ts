import { type InnerEvidence, joinedRoute } from '../../../core/route/joined-route.ts';
import { AttributeSlots, valueKind } from '../../otlp/attributes.ts';
import { spanTag } from '../../otlp/fields.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import { httpMethods } from '../endpoint/http-method.ts';
import type { RouteCache } from '../endpoint/route-cache.ts';
import { slot, wantedAttributes } from '../span-attributes.ts';
import type { Joins } from './joins.ts';

/**
 * Fills in attributes that a call's outer span lacks and an inner one has: status, method, path and route.
 * Everything else comes from the outer span (docs/extraction.md X2).
 */
export class JoinedEvidence {
  readonly #joins: Joins;
  readonly #walk: TracesReader;
  readonly #routes: RouteCache;
  readonly #inner: AttributeSlots;

  constructor(joins: Joins, walk: TracesReader, routes: RouteCache) {
    this.#joins = joins;
    this.#walk = walk;
    this.#routes = routes;
    this.#inner = new AttributeSlots(walk.cursor, wantedAttributes([]).keys);
  }

  /**
   * Adds to the attributes of the walk's span.
   * @param span its index in `joins.spans`, or -1
   */
  fill(span: number): void {
    const { spans } = this.#joins;
    for (const inner of this.#joins.innerOf(span)) {
      // An INTERNAL span contributes only its route.
      if (inner >= spans.servers) continue;
      this.#read(spans.start[inner]!, spans.end[inner]!);
      for (const slots of copied) this.#copyMissing(slots);
    }
  }

  /**
   * The number of the route from all spans of the call.
   * @param span as for `fill`
   * @param own the number of the route from the walk's span
   * @param method index in `httpMethods`
   */
  routeOf(span: number, own: number, method: number, status: number): number {
    const { spans } = this.#joins;
    const places = this.#joins.innerOf(span);
    if (places.length === 0) return own;
    const route = this.#routes.route(own);
    const path = this.#routes.pathOf(this.#walk);
    const inner = places.map((place): InnerEvidence => {
      const told = spans.route[place]!;
      return {
        httpRoute: told === 0 ? '' : spans.text(told, spans.routeEnd[place]!),
        spanName: spans.text(spans.name[place]!, spans.nameEnd[place]!),
        isServer: place < spans.servers,
      };
    });
    const joined = joinedRoute(route, { path, method: httpMethods[method]!, status }, inner);
    return joined === route ? own : this.#routes.numberOfRoute(joined);
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
      if (tag !== spanTag.attributes) {
        cursor.skip(tag, end);
        continue;
      }
      const attributeEnd = cursor.length(end);
      this.#inner.take(cursor.at, attributeEnd);
      cursor.at = attributeEnd;
    }
  }
}

const copied = [
  [slot.status, slot.oldStatus],
  [slot.method, slot.oldMethod, slot.methodOriginal],
  [slot.path, slot.oldTarget, slot.url, slot.oldUrl],
  [slot.errorType],
];
