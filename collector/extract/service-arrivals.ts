import type { SpanCounts } from './counts.ts';

/** What became of the spans of one service in one request. */
export interface ServiceArrival {
  service: string;
  stored: number;
  notServer: number;
  notHttp: number;
  excluded: number;
  duplicate: number;
  rejected: SpanCounts['rejected'];
}

/**
 * Splits the counts of a request by service: the counters are read where a resource begins and where it ends, so that
 * a span costs nothing.
 */
export class ServiceArrivals {
  /** Of the request in hand, in the order of its resources; a service may be there more than once. */
  readonly found: ServiceArrival[] = [];
  /** The counters where the resource in hand began; undefined before its first SERVER span. */
  #before: ServiceArrival | undefined;
  /** Spans of other kinds up to the end of the resource before. */
  #otherSpans = 0;
  #promoted = 0;

  begin(): void {
    this.found.length = 0;
    this.#before = undefined;
    this.#otherSpans = 0;
    this.#promoted = 0;
  }

  /** The resource in hand has a SERVER span, its first one. */
  resource(service: string, counts: SpanCounts): void {
    this.#before = sumOf(service, counts);
  }

  /** A span of another kind counts as a SERVER span of the call that it belongs to. */
  promoted(): void {
    this.#promoted += 1;
  }

  /**
   * @param otherSpans spans of other kinds than SERVER so far
   * @param serviceOf the name of a resource that has no SERVER span
   */
  resourceEnd(counts: SpanCounts, otherSpans: number, serviceOf: () => string): void {
    const notServer = otherSpans - this.#otherSpans - this.#promoted;
    const before = this.#before;
    this.#otherSpans = otherSpans;
    this.#promoted = 0;
    this.#before = undefined;
    if (before !== undefined) this.found.push(difference(before, counts, notServer));
    else if (notServer > 0) {
      const nothing = sumOf(serviceOf(), counts);
      this.found.push(difference(nothing, counts, notServer));
    }
  }
}

function sumOf(service: string, counts: SpanCounts): ServiceArrival {
  const { stored, notHttp, excluded, duplicate, rejected } = counts;
  return {
    service,
    stored,
    notServer: 0,
    notHttp,
    excluded: excluded.method + excluded.route,
    duplicate: duplicate.nested + duplicate.sibling + duplicate.same_span,
    rejected: { ...rejected },
  };
}

function difference(before: ServiceArrival, counts: SpanCounts, notServer: number): ServiceArrival {
  const now = sumOf(before.service, counts);
  now.notServer = notServer;
  now.stored -= before.stored;
  now.notHttp -= before.notHttp;
  now.excluded -= before.excluded;
  now.duplicate -= before.duplicate;
  for (const reason of Object.keys(now.rejected) as (keyof SpanCounts['rejected'])[]) {
    now.rejected[reason] -= before.rejected[reason];
  }
  return now;
}
