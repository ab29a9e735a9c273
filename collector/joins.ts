import type { CallBatch } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import {
  asksItsParent,
  CallGroups,
  coarseStartNs,
  isLocal,
  isProxyName,
  isRemote,
  portsAgree,
  reason,
} from './call-groups.ts';
import { entryKind, JoinMemory, type Remembered } from './join-memory.ts';
import type { TracesWalk } from './otlp/traces.ts';
import { RequestSpans } from './request-spans.ts';
import type { Resource } from './resource.ts';
import { SiblingFilter } from './sibling-filter.ts';

/**
 * One call of many spans (docs/decisions/0005-one-call-of-many-spans.md; OTLP.md X2 to X5, X14, X16). While
 * a request is walked every SERVER span is looked at for signs that another span may be of the same call:
 * a parent that may be local, a sibling, a mounted route, Ruby's proxy. Only then the request is read once
 * more, other spans with it, and only when that changes anything it is extracted anew by the plan.
 *
 * What earlier requests held is remembered for the services in which such spans were found.
 */
export class Joins {
  /** A span of the request in hand needs `plan`. */
  needed = false;
  /** The service in hand is one whose spans are remembered. */
  #remembers = false;
  #project = '';
  readonly #siblings = new SiblingFilter();
  #mounted: number[] = [];

  readonly #spans = new RequestSpans();
  readonly #groups: CallGroups;
  readonly #traces = new SiblingFilter();
  #planned = false;
  #next = 0;
  /** By root: its call was counted by a span of an earlier request, whose id is in `#counters`. */
  #isCounted = new Uint8Array(0);
  /** By root: the id of the span that counts, 8 bytes each. */
  #counters = new DataView(new ArrayBuffer(0));
  /** By root: the stamp of the batch in which that one was counted; 0 for the batch in hand. */
  #counted = new Int32Array(0);
  /** By span: its entry in the memory, or -1. */
  #seen = new Int32Array(0);
  /** By root: it was the one that counted when it came before. */
  #isRepeated = new Uint8Array(0);
  readonly #inner = new Map<number, number[]>();

  readonly #memory: JoinMemory;
  readonly #projects = new Map<string, number>();
  readonly #services = new Set<number>();
  readonly #stamps = new WeakMap<CallBatch, number>();
  #lastStamp = 0;
  /** Claims of INTERNAL spans that go on to their missing parents: the span, and the claim. */
  #passedOn: { span: number; claim: number }[] = [];

  /** @param countsRpc RPC server spans are calls too */
  constructor(countsRpc: boolean, remembered: number = limits.joinedSpansRemembered) {
    this.#groups = new CallGroups(this.#spans, countsRpc);
    this.#memory = new JoinMemory(remembered);
  }

  /** A request begins. */
  begin(project: string): void {
    this.needed = false;
    this.#project = project;
    this.#planned = false;
    this.#siblings.begin();
    this.#mounted.length = 0;
  }

  resource({ serviceHash }: Resource): void {
    this.#remembers = this.#services.size > 0 && this.#services.has(serviceHash);
  }

  /** Of every SERVER span in the first walk. */
  note(walk: TracesWalk): void {
    if (walk.parentIdLength === 0) {
      if (this.#remembers) this.needed = true;
    } else if (!this.needed) this.#noteParent(walk);
  }

  /** Of every SERVER span that is no call. */
  noteOther(walk: TracesWalk): void {
    const { bytes } = walk.cursor;
    if (isProxyName(bytes, walk.nameStart, walk.nameStart + walk.nameLength)) this.needed = true;
  }

  /** Of every SERVER span whose route covers only the beginning of its path (X14). */
  noteMounted(walk: TracesWalk): void {
    this.needed = true;
    this.#mounted.push(walk.spanStart);
  }

  #noteParent(walk: TracesWalk): void {
    if (walk.parentIdLength !== 8 || walk.traceIdLength !== 16) return;
    this.needed =
      this.#remembers ||
      !isRemote(walk.flags) ||
      this.#siblings.sees(walk.cursor.view, walk.traceIdStart, walk.parentIdStart);
  }

  /**
   * Finds out what belongs together. @param message was walked without an error
   * @returns whether the request must be extracted anew, asking `at` of every SERVER span
   */
  plan(message: Buffer): boolean {
    const spans = this.#spans;
    const groups = this.#groups;
    this.#planned = true;
    this.#next = 0;
    spans.open(this.#project, message);
    groups.begin();
    if (this.#findTraces()) {
      spans.readOthers((trace) => trace !== 0 && this.#traces.has(spans.cursor.view, trace, trace));
    }
    groups.find();
    this.#recognise();
    return this.#decide();
  }

  /** The SERVER span in the second walk: its place in `spans`, or -1 when it is as any other. */
  at(spanStart: number): number {
    const { start, servers } = this.#spans;
    while (this.#next < servers && start[this.#next]! < spanStart) this.#next += 1;
    return this.#next < servers && start[this.#next] === spanStart ? this.#next : -1;
  }

  get spans(): RequestSpans {
    return this.#spans;
  }

  /** Why this span is no call of its own: see `reason`. */
  reasonOf(span: number): number {
    const root = this.#groups.root(span);
    const own = this.#groups.reasons[span]!;
    return own === reason.none ? this.#isCounted[root]! : own;
  }

  /** The span that stands for this one, which is a proxy's; -1 for any other. */
  promoted(span: number): number {
    return this.#groups.promoted.get(span) ?? -1;
  }

  get promotions(): number {
    return this.#groups.promoted.size;
  }

  /** Spans that tell of the same call, outer before inner, then the INTERNAL ones that may tell its route. */
  innerOf(span: number): readonly number[] {
    return this.#inner.get(span) ?? [];
  }

  /**
   * The request is extracted: its spans are remembered, as long as the batch that holds its calls is not
   * taken back by `forget`.
   */
  remember(batch: CallBatch): void {
    if (this.#planned) this.#remember(batch);
  }

  /** The request is done with, extracted or not. */
  end(): void {
    if (!this.#planned) return;
    this.#spans.close();
    this.#inner.clear();
    this.#passedOn.length = 0;
    this.#planned = false;
  }

  /** The batch was not committed: what is remembered of its requests counts nobody's call. */
  forget(batch: CallBatch): void {
    const stamp = this.#stamps.get(batch);
    if (stamp !== undefined) this.#memory.forget(stamp);
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
    const { view } = spans.cursor;
    const trace = spans.trace[span]!;
    if (asksItsParent(spans, span) && spans.find(trace, spans.parent[span]!) < 0) return true;
    if (!this.#services.has(spans.service[span]!)) return false;
    const isClaim = (entry: number) => this.#memory.kind(entry) === entryKind.claim;
    return this.#memory.some(this.#projectNumber(), view, trace, isClaim) >= 0;
  }

  /** Finds the groups whose call was counted by a span of an earlier request. */
  #recognise(): void {
    const spans = this.#spans;
    const groups = this.#groups;
    this.#makeRoom();
    for (let i = 0; i < spans.count; i += 1) {
      if (!groups.isCall(i)) continue;
      this.#setCounter(i, spans.cursor.view, spans.id[i]!);
      if (groups.missing(i) >= 0 || groups.reasons[i] !== reason.none) {
        this.#learnService(spans.service[i]!);
      }
    }
    if (this.#memory.isEmpty) return;
    const members = this.#members();
    for (const span of members) this.#findRepeated(span);
    for (const span of members) this.#findById(span);
    for (let i = spans.servers; i < spans.count; i += 1) this.#passClaim(i);
    for (const span of members) {
      const isOpen = groups.root(span) === span && !this.#isSettled(span);
      if (isOpen) this.#findByTime(span);
    }
  }

  #members(): number[] {
    const members: number[] = [];
    for (let i = 0; i < this.#spans.count; i += 1) {
      if (this.#groups.isCall(i) && this.#services.has(this.#spans.service[i]!)) members.push(i);
    }
    return members;
  }

  /** A request that comes again is told the same again: its digest tells whether its calls are new. */
  #findRepeated(span: number): void {
    const entry = this.#find(entryKind.seen, span, this.#spans.id[span]!);
    this.#seen[span] = entry;
    if (entry < 0) return;
    const root = this.#groups.root(span);
    if (this.#isOwn(entry, root)) this.#isRepeated[root] = 1;
  }

  /** Whether the entry's call is counted by a span of this very group, which comes again. */
  #isOwn(entry: number, root: number): boolean {
    const { cursor, trace } = this.#spans;
    const { ids } = this.#memory;
    const counter = this.#spans.findId(cursor.view, trace[root]!, ids, this.#memory.by(entry));
    return counter >= 0 && this.#groups.isCall(counter) && this.#groups.root(counter) === root;
  }

  #findById(span: number): void {
    const root = this.#groups.root(span);
    if (this.#isSettled(root)) return;
    const entry = this.#entryById(span, root);
    if (entry >= 0) this.#settle(root, entry, reason.nested);
  }

  /** What says that the call of this span was counted before, or -1. */
  #entryById(span: number, root: number): number {
    const spans = this.#spans;
    const id = spans.id[span]!;
    if (this.#seen[span]! >= 0) return this.#seen[span]!;
    const claim = this.#find(entryKind.claim, span, id);
    if (claim >= 0 && !this.#isOwn(claim, root) && this.#claims(claim, span, span)) return claim;
    const missing = root === span ? this.#groups.missing(span) : -1;
    if (missing < 0) return -1;
    const parent = this.#find(entryKind.seen, span, spans.parent[missing]!);
    if (parent < 0 || this.#isOwn(parent, root)) return -1;
    // Without the flag only the same service tells that the parent is in this process.
    const isOfService = this.#memory.get(parent, 'service') === spans.service[span];
    return isLocal(spans.flags[span]!) || isOfService ? parent : -1;
  }

  /** Whether the claim is on this span, by which `call` is counted already; it takes the claim then. */
  #claims(claim: number, span: number, call: number): boolean {
    const spans = this.#spans;
    const { view } = spans.cursor;
    if (this.#memory.get(claim, 'service') !== spans.service[span]) return false;
    if (!this.#memory.isFreeFor(claim, view, spans.id[call]!)) return false;
    this.#memory.take(claim, view, spans.id[call]!);
    return true;
  }

  /** A claim on an INTERNAL span is one on the call around it. */
  #passClaim(span: number): void {
    const spans = this.#spans;
    const groups = this.#groups;
    if (groups.isCall(span) || spans.kind[span] !== internalKind || spans.id[span] === 0) return;
    const claim = this.#find(entryKind.claim, span, spans.id[span]!);
    if (claim < 0) return;
    const above = groups.callAbove(span);
    if (above >= 0) {
      const root = groups.root(above);
      if (this.#isSettled(root) || this.#isOwn(claim, root)) return;
      if (this.#claims(claim, span, above)) {
        this.#settle(root, claim, reason.nested);
      }
      return;
    }
    const missing = groups.missing(span);
    if (missing >= 0 && this.#claims(claim, span, span))
      this.#passedOn.push({ span: missing, claim });
  }

  /**
   * For what ids cannot tell: an INTERNAL span between came in a request without SERVER spans, which
   * nothing reads; or a sibling (X16). Same instance, method and path, and one within the other in time.
   */
  #findByTime(root: number): void {
    const spans = this.#spans;
    const memory = this.#memory;
    const { view } = spans.cursor;
    const missing = this.#groups.missing(root);
    // Whose parent is perhaps not of this process at all is known by ids alone.
    if (missing >= 0 && !isLocal(spans.flags[root]!)) return;
    const isInner = missing >= 0;
    const mayBeSibling = isRemote(spans.flags[root]!) && spans.parent[root] !== 0;
    let why: number = reason.nested;
    let takes = false;
    const entry = memory.some(this.#projectNumber(), view, spans.trace[root]!, (entry) => {
      if (memory.get(entry, 'instance') !== spans.instance[root]) return false;
      if (memory.get(entry, 'request') !== spans.request[root]) return false;
      // Side by side below one parent: a service may keep a span open for as long as it runs.
      const at = memory.insideOf(entry);
      if (missing >= 0 && sameId(memory.ids, at, view, spans.parent[missing]!)) return false;
      const isWithin = within(spans, root, memory, entry);
      const holds = around(spans, root, memory, entry);
      const isSeen = memory.kind(entry) === entryKind.seen;
      const isSibling =
        isSeen && mayBeSibling && (isWithin || holds) && this.#mayBeOneCall(root, entry);
      const isNested = isSeen ? isInner && isWithin : holds;
      if (!isSibling && !isNested) return false;
      // A call holds any number of inner spans; a claim is on one span, a sibling of one.
      takes = !(isSeen && isNested);
      if (takes && !memory.isFreeFor(entry, view, spans.id[root]!)) return false;
      if (this.#isOwn(entry, root)) return false;
      why = isNested ? reason.nested : reason.sibling;
      return true;
    });
    if (entry < 0) return;
    if (takes) memory.take(entry, view, spans.id[root]!);
    this.#settle(root, entry, why);
  }

  #mayBeOneCall(span: number, entry: number): boolean {
    const spans = this.#spans;
    const memory = this.#memory;
    const scope = memory.get(entry, 'scope');
    return (
      // A slice of a large message does not say (collector/otlp/slices.ts).
      (scope === 0 || scope !== spans.scope[span]) &&
      portsAgree(memory.get(entry, 'port'), spans.port[span]!) &&
      spans.cursor.bytes.compare(
        new Uint8Array(memory.ids.buffer, memory.parent(entry), 8),
        0,
        8,
        spans.parent[span]!,
        spans.parent[span]! + 8,
      ) === 0
    );
  }

  #find(kind: (typeof entryKind)['seen' | 'claim'], span: number, id: number): number {
    const { cursor, trace } = this.#spans;
    const { view } = cursor;
    return this.#memory.find(kind, this.#projectNumber(), view, trace[span]!, view, id);
  }

  #isSettled(root: number): boolean {
    return this.#isCounted[root] !== 0 || this.#isRepeated[root] === 1;
  }

  #settle(root: number, entry: number, why: number): void {
    this.#isCounted[root] = why;
    this.#counted[root] = this.#memory.stamp(entry);
    this.#setCounter(root, this.#memory.ids, this.#memory.by(entry));
  }

  /** Which calls are taken from more than one span. @returns whether anything is not as any other span */
  #decide(): boolean {
    const spans = this.#spans;
    const groups = this.#groups;
    let changes = groups.promoted.size > 0;
    // The inner span ends first and stands first: from the end, the outer ones come first.
    for (let i = spans.count - 1; i >= 0; i -= 1) {
      if (!groups.isCall(i)) continue;
      if (this.#isCounted[groups.root(i)] !== 0) changes = true;
      if (groups.reasons[i] === reason.none) continue;
      changes = true;
      this.#addInner(groups.root(i), i);
    }
    if (this.#mounted.length > 0 && this.#addMounted()) changes = true;
    return changes;
  }

  #addInner(root: number, span: number): void {
    const inner = this.#inner.get(root);
    if (inner === undefined) this.#inner.set(root, [span]);
    else if (inner.length < limits.joinedEvidence) inner.push(span);
  }

  /** INTERNAL spans with a route may tell what is behind a mount (X14). */
  #addMounted(): boolean {
    const spans = this.#spans;
    const byTrace = new Map<string, number[]>();
    const keyOf = (span: number) => {
      const trace = spans.trace[span]!;
      return `${spans.cursor.bytes.toString('latin1', trace, trace + 16)}${spans.instance[span]}`;
    };
    for (let i = spans.servers; i < spans.count; i += 1) {
      if (spans.route[i] === 0 || spans.kind[i] !== internalKind) continue;
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

  #remember(batch: CallBatch): void {
    const spans = this.#spans;
    const groups = this.#groups;
    if (this.#services.size === 0) return;
    const { view } = spans.cursor;
    const memory = this.#memory;
    const own = this.#stampOf(batch);
    for (const { span, claim } of this.#passedOn) {
      const facts = factsOf(memory, claim);
      this.#addClaim(span, memory.ids, memory.by(claim), facts, memory.stamp(claim));
    }
    for (const span of this.#members()) {
      const root = groups.root(span);
      const facts = this.#facts(span);
      // Whoever is counted by a call of another batch is so only if that is committed.
      const stamp = this.#counted[root] === 0 ? own : this.#counted[root]!;
      const isNew = this.#seen[span]! < 0;
      if (isNew) {
        const ids = { trace: spans.trace[span]!, id: spans.id[span]!, parent: spans.parent[span]! };
        memory.add(entryKind.seen, view, ids, this.#counters, root * 8, facts, stamp);
      }
      const missing = root === span ? groups.missing(span) : -1;
      // A span that counts itself and came before has made its claim then.
      if (missing >= 0 && (isNew || stamp !== own)) {
        this.#addClaim(missing, this.#counters, root * 8, facts, stamp);
      }
    }
  }

  /** Says that the missing parent's call is counted already. */
  #addClaim(span: number, bys: DataView, by: number, facts: Remembered, stamp: number): void {
    const spans = this.#spans;
    const id = spans.parent[span]!;
    const known = this.#find(entryKind.claim, span, id);
    if (known >= 0 && sameId(this.#memory.ids, this.#memory.by(known), bys, by)) return;
    const ids = { trace: spans.trace[span]!, id, parent: 0 };
    this.#memory.add(entryKind.claim, spans.cursor.view, ids, bys, by, facts, stamp);
  }

  #facts(span: number): Remembered {
    const { service, instance, scope, request, port, startNs, endNs } = this.#spans;
    return {
      project: this.#projectNumber(),
      service: service[span]!,
      instance: instance[span]!,
      scope: scope[span]!,
      request: request[span]!,
      port: port[span]!,
      startNs: startNs[span]!,
      endNs: endNs[span]!,
    };
  }

  #setCounter(root: number, ids: DataView, id: number): void {
    this.#counters.setInt32(root * 8, ids.getInt32(id));
    this.#counters.setInt32(root * 8 + 4, ids.getInt32(id + 4));
  }

  #makeRoom(): void {
    const { count, start } = this.#spans;
    if (this.#isCounted.length < count) {
      this.#isCounted = new Uint8Array(start.length);
      this.#isRepeated = new Uint8Array(start.length);
      this.#counted = new Int32Array(start.length);
      this.#seen = new Int32Array(start.length).fill(-1);
      this.#counters = new DataView(new ArrayBuffer(start.length * 8));
      return;
    }
    this.#isCounted.fill(0, 0, count);
    this.#isRepeated.fill(0, 0, count);
    this.#counted.fill(0, 0, count);
    this.#seen.fill(-1, 0, count);
  }

  #learnService(service: number): void {
    if (this.#services.size >= limits.joinedServices && !this.#services.has(service)) {
      this.#services.clear();
    }
    this.#services.add(service);
  }

  #projectNumber(): number {
    let number = this.#projects.get(this.#project);
    if (number === undefined) {
      number = this.#projects.size + 1;
      this.#projects.set(this.#project, number);
    }
    return number;
  }

  #stampOf(batch: CallBatch): number {
    let stamp = this.#stamps.get(batch);
    if (stamp === undefined) {
      this.#lastStamp = (this.#lastStamp % 0x3fff_ffff) + 1;
      stamp = this.#lastStamp;
      this.#stamps.set(batch, stamp);
    }
    return stamp;
  }
}

const internalKind = 1;

function within(spans: RequestSpans, span: number, memory: JoinMemory, entry: number): boolean {
  return (
    spans.startNs[span]! >= memory.startNs(entry) &&
    spans.endNs[span]! <= memory.endNs(entry) + coarseStartNs
  );
}

function around(spans: RequestSpans, span: number, memory: JoinMemory, entry: number): boolean {
  return (
    spans.startNs[span]! <= memory.startNs(entry) &&
    spans.endNs[span]! + coarseStartNs >= memory.endNs(entry)
  );
}

function sameId(a: DataView, aAt: number, b: DataView, bAt: number): boolean {
  return a.getInt32(aAt) === b.getInt32(bAt) && a.getInt32(aAt + 4) === b.getInt32(bAt + 4);
}

function factsOf(memory: JoinMemory, entry: number): Remembered {
  return {
    project: memory.get(entry, 'project'),
    service: memory.get(entry, 'service'),
    instance: memory.get(entry, 'instance'),
    scope: memory.get(entry, 'scope'),
    request: memory.get(entry, 'request'),
    port: memory.get(entry, 'port'),
    startNs: memory.startNs(entry),
    endNs: memory.endNs(entry),
  };
}
