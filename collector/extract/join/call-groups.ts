import { limits } from '../../../core/limits.ts';
import { isHttpSpan, mark } from '../span-attributes.ts';
import { SiblingFilter } from './sibling-filter.ts';
import { type SpanTable, spanKind } from './span-table.ts';

/**
 * Which SERVER spans of one request are of one call (OTLP.md X2, X3, X4, X16), as far as the request
 * itself tells. Spans are known by their places in `RequestSpans`; a group by its root, the outer span.
 */
export class CallGroups {
  readonly #spans: SpanTable;
  readonly #countsRpc: boolean;
  readonly #filter = new SiblingFilter();
  /** 1 for a span that is a call by itself: a SERVER span, or what a proxy's span stands for. */
  #isCall = new Uint8Array(0);
  /** The next span outwards of the same call, or -1. */
  #outer = new Int32Array(0);
  /** By span, what its parents lead to: see `#lead`. */
  #leads = new Int32Array(0);
  readonly #way: number[] = [];

  /** By span: why it is no call of its own; 0 when it is. */
  reasons = new Uint8Array(0);
  /** The INTERNAL span that stands for the proxy's span, by the proxy's place (X4). */
  readonly promoted = new Map<number, number>();

  constructor(spans: SpanTable, countsRpc: boolean) {
    this.#spans = spans;
    this.#countsRpc = countsRpc;
  }

  /** After the SERVER spans were read. */
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

  /** After the other spans were read that `begin`'s calls ask for. */
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
      if (this.#isCall[i] === 1 && asksItsParent(spans, i)) this.#nest(i);
    }
    this.#joinSiblings();
  }

  /** The outermost span of the call that this one is of. */
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

  /** The span on the way outwards from this one whose local parent is not in the request, or -1. */
  missing(span: number): number {
    const lead = asksItsParent(this.#spans, span) ? this.#lead(span) : leadsNowhere;
    return lead <= leadsMissing ? leadsMissing - lead : -1;
  }

  /** The call that the parents of this span lead to, or -1. */
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
    // Without the flag only the same service tells that the parent is in this process (X3, X5).
    const isKnownLocal = isLocal(spans.flags[span]!);
    if (above < 0 || !(isKnownLocal || spans.service[above] === spans.service[span])) return;
    // Parents in a circle are no call within another.
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
      this.#leads[at] = leadsNowhere; // until known: parents in a circle lead nowhere
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
      return `${ids}${spans.instance[span]}`;
    };
    this.#filter.begin();
    for (let i = 0; i < spans.servers; i += 1) {
      if (this.#isSibling(i) && this.#filter.sees(view, spans.trace[i]!, spans.parent[i]!)) {
        repeated.add(keyOf(i));
      }
    }
    if (repeated.size === 0) return;
    const families = new Map<string, number[]>();
    for (let i = 0; i < spans.servers; i += 1) {
      if (!this.#isSibling(i) || !this.#filter.has(view, spans.trace[i]!, spans.parent[i]!))
        continue;
      const key = keyOf(i);
      if (!repeated.has(key)) continue;
      const family = families.get(key);
      if (family === undefined) families.set(key, [i]);
      else family.push(i);
    }
    for (const family of families.values()) this.#joinFamily(family);
  }

  #isSibling(span: number): boolean {
    const spans = this.#spans;
    return (
      this.#isCall[span] === 1 &&
      this.#outer[span] === -1 &&
      spans.parent[span] !== 0 &&
      isRemote(spans.flags[span]!)
    );
  }

  /**
   * Spans under one remote parent: one that lies within another in time, with the same method and path, is
   * the same call. A client may also make several such calls at once. Where instrumentations of several
   * scopes took part, two spans of one scope are two calls; so are spans that name different ports of the
   * client; and a span directly holds one other at most.
   */
  #joinFamily(family: number[]): void {
    const spans = this.#spans;
    const { startNs, endNs } = spans;
    const isOneScope = family.every((span) => spans.scope[span] === spans.scope[family[0]!]);
    // One scope's spans that touch are calls one after the other.
    const slackNs = isOneScope ? 0 : coarseStartNs;
    // By span: the scopes of its call so far, itself and what is around it.
    const scopes = new Map<number, number[]>();
    const holds = new Set<number>();
    // Outer spans before inner ones; of two that are equal the one that was ended later is the outer.
    family.sort((a, b) => startNs[a]! - startNs[b]! || endNs[b]! - endNs[a]! || b - a);
    let open: number[] = [];
    for (const span of family) {
      open = open.filter((other) => endNs[other]! + slackNs >= startNs[span]!).slice(-openMax);
      const outer = open.findLast(
        (other) =>
          endNs[other]! + slackNs >= endNs[span]! &&
          spans.request[other] === spans.request[span] &&
          (isOneScope || !scopes.get(other)!.includes(spans.scope[span]!)) &&
          portsAgree(spans.port[other]!, spans.port[span]!) &&
          !holds.has(other) &&
          scopes.get(other)!.length < limits.joinedEvidence,
      );
      if (outer !== undefined) {
        holds.add(outer);
        this.#outer[span] = outer;
        this.reasons[span] = reason.sibling;
      }
      const around = outer === undefined || isOneScope ? [] : scopes.get(outer)!;
      scopes.set(span, [...around, spans.scope[span]!]);
      open.push(span);
    }
  }
}

/** Why a span is no call of its own. */
export const reason = { none: 0, nested: 1, sibling: 2 } as const;

/** Span.flags: the parent is remote, and that this is known (trace.proto, SpanFlags). */
const knowsRemote = 0x100;
const remote = 0x200;

export function isRemote(flags: number): boolean {
  return (flags & (knowsRemote | remote)) === (knowsRemote | remote);
}

/** The parent is known to be of this process. */
export function isLocal(flags: number): boolean {
  return (flags & (knowsRemote | remote)) === knowsRemote;
}

/** Whether its parent may be of this process. */
export function asksItsParent(spans: SpanTable, span: number): boolean {
  return spans.parent[span] !== 0 && !isRemote(spans.flags[span]!);
}

export function portsAgree(a: number, b: number): boolean {
  return a === b || a === 0 || b === 0;
}

/** What Ruby's Rack instrumentation calls the span of the server in front (`record_frontend_span`). */
export function isProxyName(bytes: Buffer, start: number, end: number): boolean {
  return end - start === proxyName.length && bytes.compare(proxyName, 0, 17, start, end) === 0;
}

/**
 * How much later than the span around it one may end: the JS SDK takes a start from a clock of whole
 * milliseconds and the time from there to the end from a finer one (seen with @hono/otel).
 */
export const coarseStartNs = 1_000_000;

const proxyName = Buffer.from('http_server.proxy');
const leadsNowhere = -1;
const leadsMissing = -2;
/** Spans under one parent that are compared with the next: calls that a client makes at once. */
const openMax = 64;
