import type { CallBatch } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import type { Resource } from '../resource.ts';
import { asksItsParent, CallGroups, isProxyName, isRemote, reason } from './call-groups.ts';
import { EarlierRequests } from './earlier-requests.ts';
import { SecondPass } from './second-pass.ts';
import { SiblingFilter } from './sibling-filter.ts';
import { SpanTable, spanKind } from './span-table.ts';

/**
 * Joins the spans of one call (docs/decisions/0005-one-call-of-many-spans.md; docs/extraction.md X2 to X5, X14,
 * X16). The first walk over a request checks every SERVER span for signs that another span may belong to its
 * call: a possibly local parent, a sibling, a mounted route, Ruby's proxy, a service that had such spans
 * before. Only then is the request read a second time, with its other spans. Only when that changes a result is
 * the request extracted again by the plan: which span counts (`reasonOf`), which span replaces it (`promoted`),
 * and which further spans describe the call (`innerOf`).
 */
export class Joins {
  /** Whether a span of this request needs `plan`. */
  needed = false;
  #project = '';
  /** Spans of the service in hand are remembered, if only to learn whether they must be. */
  #triesOrRemembers = false;
  readonly #siblings = new SiblingFilter();
  /** Offsets of spans whose routes are mounts, in the message's order. */
  #mounted: number[] = [];

  readonly #spans = new SpanTable();
  readonly #reading = new SecondPass(this.#spans);
  readonly #groups: CallGroups;
  readonly #recognised: EarlierRequests;
  /** Traces whose other spans are read. */
  readonly #traces = new SiblingFilter();
  #planned = false;
  /** The SERVER span from which `at` continues. */
  #next = 0;
  readonly #inner = new Map<number, number[]>();

  /** @param countsRpc RPC server spans count as calls */
  constructor(countsRpc: boolean) {
    this.#groups = new CallGroups(this.#spans, countsRpc);
    this.#recognised = new EarlierRequests(this.#spans, this.#groups);
  }

  /** Begins a request. */
  begin(project: string): void {
    this.needed = false;
    this.#project = project;
    this.#planned = false;
    this.#siblings.begin();
    this.#mounted.length = 0;
  }

  resource({ serviceHash }: Resource): void {
    this.#triesOrRemembers = this.#recognised.triesOrRemembers(serviceHash);
  }

  /** Call for every SERVER span in the first walk. */
  note(walk: TracesReader): void {
    if (walk.parentIdLength === 0) {
      if (this.#triesOrRemembers) this.needed = true;
    } else if (!this.needed) this.#noteParent(walk);
  }

  /** Call for every SERVER span that is not a call. */
  noteOther(walk: TracesReader): void {
    const { bytes } = walk.cursor;
    if (isProxyName(bytes, walk.nameStart, walk.nameStart + walk.nameLength)) this.needed = true;
  }

  /** Call for every SERVER span whose route covers only the beginning of its path (X14). */
  noteMounted(walk: TracesReader): void {
    this.needed = true;
    this.#mounted.push(walk.spanStart);
  }

  #noteParent(walk: TracesReader): void {
    if (walk.parentIdLength !== 8 || walk.traceIdLength !== 16) return;
    this.needed =
      this.#triesOrRemembers ||
      !isRemote(walk.flags) ||
      this.#siblings.sees(walk.cursor.view, walk.traceIdStart, walk.parentIdStart);
  }

  /**
   * Plans the second extraction.
   * @param message was walked without an error
   * @returns whether the request must be extracted again, with `at` called for every SERVER span
   */
  plan(message: Buffer): boolean {
    const spans = this.#spans;
    this.#planned = true;
    this.#next = 0;
    this.#recognised.begin(this.#project);
    this.#reading.readServers(this.#project, message);
    this.#groups.begin();
    if (this.#findTraces()) {
      this.#reading.readOthers(
        (trace) => trace !== 0 && this.#traces.has(spans.cursor.view, trace, trace),
      );
    }
    this.#groups.find();
    this.#recognised.find();
    return this.#decide();
  }

  /** The index in `spans` of a SERVER span of the second walk; -1 when its treatment does not change. */
  at(spanStart: number): number {
    const { start, servers } = this.#spans;
    while (this.#next < servers && start[this.#next]! < spanStart) this.#next += 1;
    return this.#next < servers && start[this.#next] === spanStart ? this.#next : -1;
  }

  get spans(): SpanTable {
    return this.#spans;
  }

  /** The reason why this span does not count as a call: see `reason`. */
  reasonOf(span: number): number {
    const own = this.#groups.reasons[span]!;
    return own === reason.none ? this.#recognised.reasonOf(this.#groups.root(span)) : own;
  }

  /** The span that replaces this proxy's span; -1 for any other span. */
  promoted(span: number): number {
    return this.#groups.promoted.get(span) ?? -1;
  }

  /** The number of spans that replace a proxy's span. */
  get promotions(): number {
    return this.#planned ? this.#groups.promoted.size : 0;
  }

  /** Further spans of the same call, outer before inner, then INTERNAL spans that may have its route. */
  innerOf(span: number): readonly number[] {
    return this.#inner.get(span) ?? [];
  }

  /** Remembers the spans of an extracted request, until `forget` removes them. */
  remember(batch: CallBatch): void {
    if (this.#planned) this.#recognised.remember(batch);
  }

  /** Ends the request, extracted or not. */
  end(): void {
    if (!this.#planned) return;
    this.#spans.close();
    this.#inner.clear();
    this.#planned = false;
  }

  /** After a failed commit: removes the spans of the batch's requests. */
  forget(batch: CallBatch): void {
    this.#recognised.forget(batch);
  }

  /** Marks the traces whose other spans must be read. @returns whether there are any */
  #findTraces(): boolean {
    const spans = this.#spans;
    const { view } = spans.cursor;
    let found = false;
    let mounted = 0;
    this.#traces.begin();
    for (let i = 0; i < spans.servers; i += 1) {
      if (this.#mounted[mounted] === spans.start[i]) mounted += 1;
      else if (!this.#asksOthers(i)) continue;
      if (spans.trace[i] === 0) continue;
      this.#traces.sees(view, spans.trace[i]!, spans.trace[i]!);
      found = true;
    }
    return found;
  }

  #asksOthers(span: number): boolean {
    const spans = this.#spans;
    if (this.#groups.isProxy(span)) return true;
    if (!this.#groups.isCall(span)) return false;
    const parent = spans.parent[span]!;
    if (asksItsParent(spans, span) && spans.find(spans.trace[span]!, parent) < 0) return true;
    return this.#recognised.isClaimed(span);
  }

  /**
   * Decides which calls have several spans.
   * @returns whether any span is treated differently
   */
  #decide(): boolean {
    const spans = this.#spans;
    const groups = this.#groups;
    let changes = groups.promoted.size > 0;
    // Inner spans end first and come first in the message: going backwards, outer ones come first.
    for (let i = spans.count - 1; i >= 0; i -= 1) {
      if (!groups.isCall(i)) continue;
      if (this.reasonOf(i) === reason.none) continue;
      changes = true;
      if (groups.reasons[i] !== reason.none) this.#addInner(groups.root(i), i);
    }
    if (this.#mounted.length > 0 && this.#addMounted()) changes = true;
    return changes;
  }

  #addInner(root: number, span: number): void {
    const inner = this.#inner.get(root);
    if (inner === undefined) this.#inner.set(root, [span]);
    else if (inner.length < limits.joinedEvidence) inner.push(span);
  }

  /** INTERNAL spans with a route may describe the part behind a mount (X14). */
  #addMounted(): boolean {
    const spans = this.#spans;
    const byTrace = new Map<string, number[]>();
    const keyOf = (span: number) => {
      const trace = spans.trace[span]!;
      return `${spans.cursor.bytes.toString('latin1', trace, trace + 16)}${spans.instance[span]}`;
    };
    for (let i = spans.servers; i < spans.count; i += 1) {
      if (spans.route[i] === 0 || spans.kind[i] !== spanKind.internal) continue;
      const key = keyOf(i);
      const told = byTrace.get(key);
      if (told === undefined) byTrace.set(key, [i]);
      else if (told.length < limits.joinedEvidence) told.push(i);
    }
    if (byTrace.size === 0) return false;
    let found = false;
    let mounted = 0;
    for (let i = 0; i < spans.servers && mounted < this.#mounted.length; i += 1) {
      if (this.#mounted[mounted] !== spans.start[i]) continue;
      mounted += 1;
      for (const told of spans.trace[i] === 0 ? [] : (byTrace.get(keyOf(i)) ?? [])) {
        this.#addInner(i, told);
        found = true;
      }
    }
    return found;
  }
}
