import type { CallBatch } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import { sameBytes } from '../../intern/hash.ts';
import { type CallGroups, isLocal, isRemote, isWithin, reason } from './call-groups.ts';
import { EarlierSiblings } from './earlier-siblings.ts';
import { type EntryKind, entryKind, type Remembered, SpanMemory } from './span-memory.ts';
import { type SpanTable, spanKind } from './span-table.ts';

/**
 * The calls of a request that were counted before: an earlier request brought another span of the same
 * call, or this very one (docs/extraction.md X2, X3, X16, as far as other requests tell; `CallGroups` is the rest).
 * Spans are known by their places in `RequestSpans`, a call by its root in `CallGroups`.
 *
 * Only services in which a call of several spans was found are remembered, most services never are. The first
 * requests of every service are remembered too: the first such call may lie in two of them.
 */
export class EarlierRequests {
  readonly #spans: SpanTable;
  readonly #groups: CallGroups;
  readonly #memory = new SpanMemory(trialEntries);
  readonly #siblings: EarlierSiblings;
  /** Hashes of the services whose spans are remembered. */
  readonly #services = new Set<number>();
  /** Of other services: how many requests are still remembered, to learn whether a batch ends in a call. */
  readonly #trials = new Map<number, number>();

  // The request in hand.
  /** By root: why its call is not counted again; 0 when it is counted by the request in hand. */
  #reasons = new Uint8Array(0);
  /** By root: the id of the span that it is counted by, 8 bytes each. */
  #counters = new DataView(new ArrayBuffer(0));
  /** By root: the stamp of the batch in which that one was counted; 0 for the batch in hand. */
  #stamps = new Int32Array(0);
  /** By root: it was the one that counted when it came before. */
  #isRepeated = new Uint8Array(0);
  /** By span: its entry in the memory, or -1. */
  #seen = new Int32Array(0);
  /** Claims of INTERNAL spans that go on to their missing parents: the span, and the claim. */
  #passedOn: { span: number; claim: number }[] = [];

  constructor(spans: SpanTable, groups: CallGroups) {
    this.#spans = spans;
    this.#groups = groups;
    this.#siblings = new EarlierSiblings(spans, groups, this.#memory);
  }

  /** Whether spans of the service are remembered. @param service `Resource.serviceHash` */
  remembers(service: number): boolean {
    return this.#services.size > 0 && this.#services.has(service);
  }

  /** Whether spans of the service are remembered, if only to learn whether they must be. */
  triesOrRemembers(service: number): boolean {
    return this.remembers(service) || (this.#trials.get(service) ?? trialRequests) > 0;
  }

  /** A request of the project is read, `spans` and `groups` are about to be filled. */
  begin(project: string): void {
    if (this.#services.size > 0) this.#memory.grow(limits.joinedSpansRemembered);
    this.#memory.open(project);
    this.#siblings.begin();
    this.#passedOn.length = 0;
  }

  /** Whether an earlier request claims a parent in this span's trace that had not come by then. */
  isClaimed(span: number): boolean {
    const { service, trace, cursor } = this.#spans;
    if (!this.remembers(service[span]!)) return false;
    const isClaim = (entry: number) => this.#memory.kind(entry) === entryKind.claim;
    return this.#memory.some(cursor.view, trace[span]!, isClaim) >= 0;
  }

  /** After the groups were found. */
  find(): void {
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
    for (const span of members) this.#findSidecar(span);
    const isOpen = (span: number) => groups.root(span) === span && !this.#isSettled(span);
    for (const span of members) if (isOpen(span)) this.#findByTime(span);
    for (const span of members) if (isOpen(span)) this.#findSibling(span, true);
    for (const span of members) if (isOpen(span)) this.#findSibling(span, false);
  }

  /** Why the call of this root is not counted: see `reason`. */
  reasonOf(root: number): number {
    return this.#reasons[root]!;
  }

  /** The request is extracted into the batch: its spans are remembered, until `forget` takes that back. */
  remember(batch: CallBatch): void {
    const spans = this.#spans;
    const groups = this.#groups;
    const { view } = spans.cursor;
    const memory = this.#memory;
    const own = memory.stampOf(batch);
    for (const { span, claim } of this.#passedOn) {
      this.#addClaim(span, memory.ids, memory.by(claim), memory.facts(claim), memory.stamp(claim));
    }
    const members = this.#members();
    this.#endTrials(members);
    for (const span of members) {
      const root = groups.root(span);
      const facts = factsOf(spans, span);
      // Whoever is counted by a call of another batch is so only if that is committed.
      const stamp = this.#stamps[root] === 0 ? own : this.#stamps[root]!;
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

  /** The batch was not committed: what is remembered of its requests counts nobody's call. */
  forget(batch: CallBatch): void {
    this.#memory.forget(batch);
  }

  /** Calls, and the spans that are of one, of services that are remembered. */
  #members(): number[] {
    const { count, service } = this.#spans;
    const members: number[] = [];
    for (let i = 0; i < count; i += 1) {
      if (this.#groups.isCall(i) && this.triesOrRemembers(service[i]!)) members.push(i);
    }
    return members;
  }

  #endTrials(members: readonly number[]): void {
    const { service } = this.#spans;
    for (const hash of new Set(members.map((span) => service[span]!))) {
      if (this.#services.has(hash)) continue;
      if (this.#trials.size >= limits.joinedServices) this.#trials.clear();
      const left = this.#trials.get(hash) ?? trialRequests;
      this.#trials.set(hash, Math.max(0, left - 1));
    }
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
    if (this.#seen[span]! >= 0) return this.#seen[span]!;
    const claim = this.#find(entryKind.claim, span, spans.id[span]!);
    if (claim >= 0 && !this.#isOwn(claim, root) && this.#takesClaim(claim, span, span)) {
      return claim;
    }
    const missing = root === span ? this.#groups.missing(span) : -1;
    if (missing < 0) return -1;
    const parent = this.#find(entryKind.seen, span, spans.parent[missing]!);
    if (parent < 0 || this.#isOwn(parent, root)) return -1;
    // Without the flag only the same service tells that the parent is in this process.
    const isOfService = this.#memory.get(parent, 'service') === spans.service[span];
    return isLocal(spans.flags[span]!) || isOfService ? parent : -1;
  }

  /** Whether the claim is on this span, by which `call` is counted already; it is taken then. */
  #takesClaim(claim: number, span: number, call: number): boolean {
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
    if (groups.isCall(span) || spans.kind[span] !== spanKind.internal) return;
    if (spans.id[span] === 0) return;
    const claim = this.#find(entryKind.claim, span, spans.id[span]!);
    if (claim < 0) return;
    const above = groups.callAbove(span);
    if (above >= 0) {
      const root = groups.root(above);
      if (this.#isSettled(root) || this.#isOwn(claim, root)) return;
      if (this.#takesClaim(claim, span, above)) this.#settle(root, claim, reason.nested);
      return;
    }
    const missing = groups.missing(span);
    if (missing >= 0 && this.#takesClaim(claim, span, span)) {
      this.#passedOn.push({ span: missing, claim });
    }
  }

  /** The call of a sidecar's span that an earlier request brought, or of the span that it was in front of (X27). */
  #findSidecar(root: number): void {
    const spans = this.#spans;
    const memory = this.#memory;
    if (this.#groups.root(root) !== root || this.#isSettled(root)) return;
    const { view } = spans.cursor;
    const isSame = (entry: number) =>
      memory.get(entry, 'service') === spans.service[root] &&
      memory.get(entry, 'request') === spans.request[root] &&
      !this.#isOwn(entry, root);
    const [start, end] = [spans.startNs[root]!, spans.endNs[root]!];
    let entry = -1;
    if (spans.parent[root] !== 0 && isRemote(spans.flags[root]!)) {
      entry = this.#find(entryKind.seen, root, spans.parent[root]!);
      const holds =
        entry >= 0 &&
        isSame(entry) &&
        isWithin(start, end, memory.startNs(entry), memory.endNs(entry));
      if (!holds) entry = -1;
    }
    if (entry < 0) {
      entry = memory.some(
        view,
        spans.trace[root]!,
        (inner) =>
          memory.kind(inner) === entryKind.seen &&
          sameBytes(memory.ids, memory.parent(inner), view, spans.id[root]!, 8) &&
          memory.get(inner, 'parentIsRemote') === 1 &&
          isSame(inner) &&
          isWithin(memory.startNs(inner), memory.endNs(inner), start, end),
      );
    }
    if (entry >= 0) this.#settle(root, entry, reason.nested);
  }

  #findSibling(root: number, isExact: boolean): void {
    const entry = this.#siblings.find(root, isExact);
    if (entry >= 0) this.#settle(root, entry, reason.sibling);
  }

  /** Nested spans that ids do not join: the INTERNAL span between came in a request that nothing read. */
  #findByTime(root: number): void {
    const spans = this.#spans;
    const memory = this.#memory;
    const { view } = spans.cursor;
    const missing = this.#groups.missing(root);
    // A parent that may be of another process is known by ids alone.
    if (missing >= 0 && !isLocal(spans.flags[root]!)) return;
    let takes = false;
    const entry = memory.some(view, spans.trace[root]!, (entry) => {
      if (!this.#isNestedByTime(root, missing, entry)) return false;
      // A call holds any number of inner spans; a claim is on one span.
      takes = memory.kind(entry) === entryKind.claim;
      if (takes && !memory.isFreeFor(entry, view, spans.id[root]!)) return false;
      return !this.#isOwn(entry, root);
    });
    if (entry < 0) return;
    if (takes) memory.take(entry, view, spans.id[root]!);
    this.#settle(root, entry, reason.nested);
  }

  /** Same instance, method and path, and one within the other in time. @param missing see `CallGroups` */
  #isNestedByTime(root: number, missing: number, entry: number): boolean {
    const { instance, request, parent, startNs, endNs, cursor } = this.#spans;
    const memory = this.#memory;
    if (memory.get(entry, 'instance') !== instance[root]) return false;
    if (memory.get(entry, 'request') !== request[root]) return false;
    // Side by side below one parent: a service may keep a span open for as long as it runs.
    const around = memory.insideOf(entry);
    if (missing >= 0 && sameBytes(memory.ids, around, cursor.view, parent[missing]!, 8)) {
      return false;
    }
    const [start, end] = [memory.startNs(entry), memory.endNs(entry)];
    if (memory.kind(entry) === entryKind.claim) {
      return isWithin(start, end, startNs[root]!, endNs[root]!);
    }
    return missing >= 0 && isWithin(startNs[root]!, endNs[root]!, start, end);
  }

  /** The entry of this kind for an id in the span's trace, or -1. */
  #find(kind: EntryKind, span: number, id: number): number {
    const { cursor, trace } = this.#spans;
    return this.#memory.find(kind, cursor.view, trace[span]!, cursor.view, id);
  }

  #isSettled(root: number): boolean {
    return this.#reasons[root] !== reason.none || this.#isRepeated[root] === 1;
  }

  #settle(root: number, entry: number, why: number): void {
    this.#learnService(this.#spans.service[root]!);
    this.#reasons[root] = why;
    this.#stamps[root] = this.#memory.stamp(entry);
    this.#setCounter(root, this.#memory.ids, this.#memory.by(entry));
  }

  #setCounter(root: number, ids: DataView, id: number): void {
    this.#counters.setInt32(root * 8, ids.getInt32(id));
    this.#counters.setInt32(root * 8 + 4, ids.getInt32(id + 4));
  }

  /**
   * Says that the missing parent's call is counted already.
   * @param by where in `bys` the id lies of the span that it is counted by
   */
  #addClaim(span: number, bys: DataView, by: number, facts: Remembered, stamp: number): void {
    const spans = this.#spans;
    const memory = this.#memory;
    const id = spans.parent[span]!;
    const known = this.#find(entryKind.claim, span, id);
    if (known >= 0 && sameBytes(memory.ids, memory.by(known), bys, by, 8)) return;
    const ids = { trace: spans.trace[span]!, id, parent: 0 };
    memory.add(entryKind.claim, spans.cursor.view, ids, bys, by, facts, stamp);
  }

  #learnService(service: number): void {
    if (this.#services.size >= limits.joinedServices && !this.#services.has(service)) {
      this.#services.clear();
    }
    this.#services.add(service);
  }

  #makeRoom(): void {
    const { count, start } = this.#spans;
    if (this.#reasons.length < count) {
      this.#reasons = new Uint8Array(start.length);
      this.#counters = new DataView(new ArrayBuffer(start.length * 8));
      this.#stamps = new Int32Array(start.length);
      this.#isRepeated = new Uint8Array(start.length);
      this.#seen = new Int32Array(start.length).fill(-1);
      return;
    }
    this.#reasons.fill(0, 0, count);
    this.#stamps.fill(0, 0, count);
    this.#isRepeated.fill(0, 0, count);
    this.#seen.fill(-1, 0, count);
  }
}

function factsOf(spans: SpanTable, span: number): Remembered {
  return {
    service: spans.service[span]!,
    instance: spans.instance[span]!,
    scope: spans.scope[span]!,
    request: spans.request[span]!,
    connection: spans.connection[span]!,
    parentIsRemote: isRemote(spans.flags[span]!) ? 1 : 0,
    startNs: spans.startNs[span]!,
    endNs: spans.endNs[span]!,
  };
}

/** Requests of a service after which it is taken for one whose calls have one span each. */
const trialRequests = 64;
/** Entries of the memory while no service is known to need it: 1 MB. */
const trialEntries = 8192;
