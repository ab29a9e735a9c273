import { limits } from '../../../core/limits.ts';
import { isHttpSpan, mark } from '../span-attributes.ts';
import { SiblingFilter } from './sibling-filter.ts';
import { type SpanTable, spanKind } from './span-table.ts';

/**
 * Groups the SERVER spans of one request into calls (docs/extraction.md X2, X3, X4, X16), using that request
 * alone. A span is identified by its index in `SpanTable`, a group by the index of its root, the outer span.
 */
export class CallGroups {
  readonly #spans: SpanTable;
  readonly #countsRpc: boolean;
  readonly #filter = new SiblingFilter();
  /** 1 for a span that can be a call: a SERVER span, or the INTERNAL child that replaces a proxy's span. */
  #isCall = new Uint8Array(0);
  /** The next outer span of the same call, or -1. */
  #outer = new Int32Array(0);
  /** By span: the result of `#lead`. */
  #leads = new Int32Array(0);
  readonly #way: number[] = [];

  /** By root of a call with sibling spans: the scopes of all of them. */
  readonly #scopes = new Map<number, number[]>();

  /** By span: the reason why it does not count as a call; 0 when it counts. */
  reasons = new Uint8Array(0);
  /** By index of a proxy's span: the INTERNAL span that replaces it (X4). */
  readonly promoted = new Map<number, number>();

  constructor(spans: SpanTable, countsRpc: boolean) {
    this.#spans = spans;
    this.#countsRpc = countsRpc;
  }

  /** Call after the SERVER spans were read. */
  begin(): void {
    const spans = this.#spans;
    if (this.#isCall.length < spans.start.length) {
      this.#isCall = new Uint8Array(spans.start.length);
    }
    for (let i = 0; i < spans.servers; i += 1) this.#isCall[i] = this.#mayBeCall(i) ? 1 : 0;
  }

  isCall(span: number): boolean {
    return this.#isCall[span] === 1;
  }

  /** Call after the other spans that `begin` needs were read. */
  find(): void {
    const spans = this.#spans;
    const size = spans.start.length;
    if (this.#outer.length < size) {
      const isCall = new Uint8Array(size);
      isCall.set(this.#isCall.subarray(0, spans.servers));
      this.#isCall = isCall;
      this.#outer = new Int32Array(size);
      this.#leads = new Int32Array(size);
      this.reasons = new Uint8Array(size);
    }
    this.#isCall.fill(0, spans.servers, spans.count);
    this.#outer.fill(-1, 0, spans.count);
    this.#leads.fill(0, 0, spans.count);
    this.reasons.fill(0, 0, spans.count);
    this.#promote();
    for (let i = 0; i < spans.count; i += 1) {
      if (this.#isCall[i] === 0) continue;
      if (asksItsParent(spans, i)) this.#nest(i);
      else if (spans.parent[i] !== 0) this.#nestInSidecar(i);
    }
    this.#joinSiblings();
  }

  /** The outermost span of this span's call. */
  root(span: number): number {
    let root = span;
    while (this.#outer[root]! >= 0) root = this.#outer[root]!;
    for (let at = span; at !== root; ) {
      const next = this.#outer[at]!;
      this.#outer[at] = root;
      at = next;
    }
    return root;
  }

  /** The first span outwards from this one whose local parent is not in the request, or -1. */
  missing(span: number): number {
    const lead = asksItsParent(this.#spans, span) ? this.#lead(span) : leadsNowhere;
    return lead <= leadsMissing ? leadsMissing - lead : -1;
  }

  /** The call reached by this span's parents, or -1. */
  callAbove(span: number): number {
    const lead = this.#lead(span);
    return lead > 0 ? lead - 1 : -1;
  }

  #mayBeCall(span: number): boolean {
    const spans = this.#spans;
    if (spans.trace[span] === 0 || spans.id[span] === 0) return false;
    if (spans.startNs[span] === 0 || spans.endNs[span] === 0) return false;
    const marks = spans.marks[span]!;
    return isHttpSpan(marks) || (this.#countsRpc && (marks & mark.rpc) !== 0);
  }

  /** A proxy's span without HTTP attributes: its INTERNAL child has them (X4). */
  #promote(): void {
    const spans = this.#spans;
    this.promoted.clear();
    for (let i = spans.servers; i < spans.count; i += 1) {
      if (spans.kind[i] !== spanKind.internal || spans.parent[i] === 0 || spans.trace[i] === 0)
        continue;
      if (!this.#mayBeCall(i)) continue;
      const parent = spans.find(spans.trace[i]!, spans.parent[i]!);
      if (parent < 0 || !this.isProxy(parent) || this.promoted.has(parent)) continue;
      this.promoted.set(parent, i);
      this.#isCall[i] = 1;
    }
  }

  isProxy(span: number): boolean {
    const spans = this.#spans;
    if (span >= spans.servers || this.#isCall[span] === 1) return false;
    return isProxyName(spans.cursor.bytes, spans.name[span]!, spans.nameEnd[span]!);
  }

  #nest(span: number): void {
    const spans = this.#spans;
    const above = this.callAbove(span);
    // Without the flag, a parent of the same service is taken for a local one (X3, X5).
    const isKnownLocal = isLocal(spans.flags[span]!);
    if (above < 0 || !(isKnownLocal || spans.service[above] === spans.service[span])) return;
    // A cycle of parents is not nesting.
    if (this.root(above) === span) return;
    this.#outer[span] = above;
    this.reasons[span] = reason.nested;
  }

  /**
   * A remote parent that is itself a SERVER span of the service is the sidecar's in front of it
   * (docs/extraction.md X27): a service that calls itself has a CLIENT span between.
   */
  #nestInSidecar(span: number): void {
    const spans = this.#spans;
    const above = spans.find(spans.trace[span]!, spans.parent[span]!);
    if (above < 0 || this.#isCall[above] === 0 || !isSameRequest(spans, span, above)) return;
    if (
      !isWithin(
        spans.startNs[span]!,
        spans.endNs[span]!,
        spans.startNs[above]!,
        spans.endNs[above]!,
      )
    )
      return;
    if (this.root(above) === span) return;
    this.#outer[span] = above;
    this.reasons[span] = reason.nested;
  }

  /**
   * Where a span's parents lead: the place of a call + 1; `leadsNowhere`, when they end at a span that is
   * no call and not INTERNAL; `leadsMissing - place` of the span whose parent is not in the request.
   */
  #lead(span: number): number {
    const spans = this.#spans;
    const way = this.#way;
    let at = span;
    let lead: number = this.#leads[at]!;
    while (lead === 0) {
      this.#leads[at] = leadsNowhere; // until known: a cycle of parents leads nowhere
      way.push(at);
      const parent = spans.parent[at]!;
      if (parent === 0 || isRemote(spans.flags[at]!)) {
        lead = leadsNowhere;
        break;
      }
      const found = spans.find(spans.trace[at]!, parent);
      if (found < 0) lead = leadsMissing - at;
      else if (this.#isCall[found] === 1) lead = found + 1;
      else if (spans.kind[found]! > spanKind.internal) lead = leadsNowhere;
      else {
        at = found;
        lead = this.#leads[at]!;
      }
    }
    for (const passed of way) this.#leads[passed] = lead;
    way.length = 0;
    return lead;
  }

  #joinSiblings(): void {
    const spans = this.#spans;
    const { view, bytes } = spans.cursor;
    const repeated = new Set<string>();
    const keyOf = (span: number) => {
      const [trace, parent] = [spans.trace[span]!, spans.parent[span]!];
      const ids =
        bytes.toString('latin1', trace, trace + 16) + bytes.toString('latin1', parent, parent + 8);
      return `${ids}${spans.instance[span]} ${spans.request[span]}`;
    };
    this.#scopes.clear();
    this.#filter.begin();
    for (let i = 0; i < spans.servers; i += 1) {
      if (this.mayHaveSibling(i) && this.#filter.sees(view, spans.trace[i]!, spans.parent[i]!)) {
        repeated.add(keyOf(i));
      }
    }
    if (repeated.size === 0) return;
    const families = new Map<string, number[]>();
    for (let i = 0; i < spans.servers; i += 1) {
      if (!this.mayHaveSibling(i) || !this.#filter.has(view, spans.trace[i]!, spans.parent[i]!))
        continue;
      const key = keyOf(i);
      if (!repeated.has(key)) continue;
      const family = families.get(key);
      if (family === undefined) families.set(key, [i]);
      else family.push(i);
    }
    for (const family of families.values()) if (family.length > 1) this.#joinFamily(family);
  }

  /** A call that is not nested in another and whose parent is in another process. */
  mayHaveSibling(span: number): boolean {
    const spans = this.#spans;
    return (
      this.#isCall[span] === 1 &&
      this.#outer[span] === -1 &&
      spans.parent[span] !== 0 &&
      isRemote(spans.flags[span]!)
    );
  }

  /** Hashes of the instrumentation scopes of this root's sibling spans. */
  scopesOf(root: number): readonly number[] {
    return this.#scopes.get(root) ?? [this.#spans.scope[root]!];
  }

  /**
   * A family has one remote parent, instance, method and path. A span within another in time belongs to the
   * same call when `mayShareCall` allows it. Spans are assigned by ascending start, each to the shortest call
   * that contains it: this joins the largest number of spans.
   */
  #joinFamily(family: number[]): void {
    const spans = this.#spans;
    const { startNs, endNs } = spans;
    // Outer spans before inner ones; of two equal ones the later in the message is the outer.
    family.sort((a, b) => startNs[a]! - startNs[b]! || endNs[b]! - endNs[a]! || b - a);
    let open: number[] = [];
    for (const span of family) {
      open = open.filter((root) => endNs[root]! + coarseStartNs >= startNs[span]!).slice(-openMax);
      let outer = -1;
      for (const root of open) {
        const isShorter = outer < 0 || endNs[root]! <= endNs[outer]!;
        if (isShorter && this.#holdsSibling(root, span)) outer = root;
      }
      if (outer < 0) {
        open.push(span);
        continue;
      }
      this.#outer[span] = outer;
      this.reasons[span] = reason.sibling;
      this.#scopes.set(outer, [...this.scopesOf(outer), spans.scope[span]!]);
    }
  }

  /** Whether the span, which starts later, may belong to this root's call. */
  #holdsSibling(root: number, span: number): boolean {
    const spans = this.#spans;
    const scopes = this.scopesOf(root);
    const scope = spans.scope[span]!;
    if (!mayShareCall(scopes, spans.connection[root]!, scope, spans.connection[span]!))
      return false;
    // Adjacent spans of one scope are consecutive calls.
    const slackNs = scopes.includes(scope) ? 0 : coarseStartNs;
    return (
      spans.endNs[root]! + slackNs >= spans.endNs[span]! && scopes.length < limits.joinedEvidence
    );
  }
}

function isSameRequest({ service, request }: SpanTable, a: number, b: number): boolean {
  return service[a] === service[b] && request[a] === request[b];
}

/** Whether the first range of time lies in the second, as far as clocks tell. */
export function isWithin(startNs: number, endNs: number, fromNs: number, toNs: number): boolean {
  return startNs >= fromNs && endNs <= toNs + coarseStartNs;
}

/**
 * Whether a span may belong to the same call as spans of these scopes, by scope and connection
 * (docs/extraction.md X16). An instrumentation makes one SERVER span per call, so two spans of one scope are
 * two parallel calls, unless both came over one HTTP/1 connection, which carries one call at a time. Spans from
 * different client ports are different calls.
 */
export function mayShareCall(
  scopes: readonly number[],
  connection: number,
  scope: number,
  other: number,
): boolean {
  if (connection === other && connection > portMax) return true;
  const [port, otherPort] = [connection & portMax, other & portMax];
  if (port !== otherPort && port !== 0 && otherPort !== 0) return false;
  return !scopes.includes(scope);
}

/** A `connection` above this is HTTP/1; the lower bits are the client's port. */
export const portMax = 0xffff;

/** The reason why a span does not count as a call. */
export const reason = { none: 0, nested: 1, sibling: 2 } as const;

/**
 * Span.flags: the bit that says that the next one is known, and the bit for a remote parent (trace.proto,
 * SpanFlags).
 */
const knowsRemote = 0x100;
const remote = 0x200;

export function isRemote(flags: number): boolean {
  return (flags & (knowsRemote | remote)) === (knowsRemote | remote);
}

/** Whether the parent is known to be in the same process. */
export function isLocal(flags: number): boolean {
  return (flags & (knowsRemote | remote)) === knowsRemote;
}

/** Whether the parent may be in the same process. */
export function asksItsParent(spans: SpanTable, span: number): boolean {
  return spans.parent[span] !== 0 && !isRemote(spans.flags[span]!);
}

/** The name that Ruby's Rack instrumentation gives to the front server's span (`record_frontend_span`). */
export function isProxyName(bytes: Buffer, start: number, end: number): boolean {
  return end - start === proxyName.length && bytes.compare(proxyName, 0, 17, start, end) === 0;
}

/**
 * The time by which an inner span may end after its outer span: the JS SDK takes starts from a clock of whole
 * milliseconds and durations from a finer one (seen with @hono/otel).
 */
export const coarseStartNs = 1_000_000;

const proxyName = Buffer.from('http_server.proxy');
const leadsNowhere = -1;
const leadsMissing = -2;
/** Open spans under one parent that are compared with the next one: parallel calls of one client. */
const openMax = 64;
