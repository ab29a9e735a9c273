import type { CallBatch } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import { sameBytes } from '../../intern/hash.ts';
import { type CallGroups, isLocal, isRemote, isWithin, reason } from './call-groups.ts';
import { EarlierSiblings } from './earlier-siblings.ts';
import { type EntryKind, entryKind, type Remembered, SpanMemory } from './span-memory.ts';
import { type SpanTable, spanKind } from './span-table.ts';

/**
 * Recognises calls that an earlier request already counted, by another span of the same call or by the same
 * span (docs/extraction.md X2, X3, X16). `CallGroups` finds the spans of one call within a request. A span is
 * identified by its index in `SpanTable`, a call by its root in `CallGroups`.
 *
 * Only services that made several spans for one call are remembered; most never do. The first requests of every
 * service are remembered too, because its first such call may be split between two of them.
 */
export class EarlierRequests {
  readonly #spans: SpanTable;
  readonly #groups: CallGroups;
  readonly #memory = new SpanMemory(trialEntries);
  readonly #siblings: EarlierSiblings;
  /** Hashes of the services whose spans are remembered. */
  readonly #services = new Set<number>();
  /**
   * By other service: the number of requests that are still remembered, to find a first call that is split
   * between two.
   */
  readonly #trials = new Map<number, number>();

  // The request in hand.
  /** By root: the reason why its call is not counted again; 0 when this request counts it. */
  #reasons = new Uint8Array(0);
  /** By root: the id of the span that counts for it, 8 bytes each. */
  #counters = new DataView(new ArrayBuffer(0));
  /** By root: the stamp of the batch that counted it; 0 for the current batch. */
  #stamps = new Int32Array(0);
  /** By root: it was the counted span in the earlier request. */
  #isRepeated = new Uint8Array(0);
  /** By span: its entry in `SpanMemory`, or -1. */
  #seen = new Int32Array(0);
  /** Claims on INTERNAL spans that are passed on to their missing parents: the span, and the claim. */
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

  /** Begins a request of a project, before `spans` and `groups` are filled. */
  begin(project: string): void {
    if (this.#services.size > 0) this.#memory.grow(limits.joinedSpansRemembered);
    this.#memory.open(project);
    this.#siblings.begin();
    this.#passedOn.length = 0;
  }

  /** Whether an earlier request holds a claim on a missing parent in this span's trace. */
  isClaimed(span: number): boolean {
    const { service, trace, cursor } = this.#spans;
    if (!this.remembers(service[span]!)) return false;
    const isClaim = (entry: number) => this.#memory.kind(entry) === entryKind.claim;
    return this.#memory.some(cursor.view, trace[span]!, isClaim) >= 0;
  }

  /** Call after the groups were found. */
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

  /** The reason why this root's call is not counted: see `reason`. */
  reasonOf(root: number): number {
    return this.#reasons[root]!;
  }

  /** Remembers the spans of a request that was extracted into the batch, until `forget` removes them. */
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
      // A span that was counted by a call of another batch counts only if that batch is committed.
      const stamp = this.#stamps[root] === 0 ? own : this.#stamps[root]!;
      const isNew = this.#seen[span]! < 0;
      if (isNew) {
        const ids = { trace: spans.trace[span]!, id: spans.id[span]!, parent: spans.parent[span]! };
        memory.add(entryKind.seen, view, ids, this.#counters, root * 8, facts, stamp);
      }
      const missing = root === span ? groups.missing(span) : -1;
      // A counted span that was seen before has made its claim then.
      if (missing >= 0 && (isNew || stamp !== own)) {
        this.#addClaim(missing, this.#counters, root * 8, facts, stamp);
      }
    }
  }

  /** After a failed commit: removes the spans of the batch's requests. */
  forget(batch: CallBatch): void {
    this.#memory.forget(batch);
  }

  /** Calls and their inner spans, of remembered services. */
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

  /** A repeated request gets the same result again: its digest decides whether its calls are new. */
  #findRepeated(span: number): void {
    const entry = this.#find(entryKind.seen, span, this.#spans.id[span]!);
    this.#seen[span] = entry;
    if (entry < 0) return;
    const root = this.#groups.root(span);
    if (this.#isOwn(entry, root)) this.#isRepeated[root] = 1;
  }

  /** Whether the entry's call was counted by a span of the same group, which is repeated now. */
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

  /** The entry that shows that this span's call was counted before, or -1. */
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
    // Without the flag, a parent of the same service is taken for a local one.
    const isOfService = this.#memory.get(parent, 'service') === spans.service[span];
    return isLocal(spans.flags[span]!) || isOfService ? parent : -1;
  }

  /** Whether the claim is on this span, so that `call` is counted already. The claim is then used up. */
  #takesClaim(claim: number, span: number, call: number): boolean {
    const spans = this.#spans;
    const { view } = spans.cursor;
    if (this.#memory.get(claim, 'service') !== spans.service[span]) return false;
    if (!this.#memory.isFreeFor(claim, view, spans.id[call]!)) return false;
    this.#memory.take(claim, view, spans.id[call]!);
    return true;
  }

  /** Passes a claim on an INTERNAL span on to the call around it. */
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

  /**
   * Finds nested spans without a chain of ids: the INTERNAL span between them was in a request that was not
   * read.
   */
  #findByTime(root: number): void {
    const spans = this.#spans;
    const memory = this.#memory;
    const { view } = spans.cursor;
    const missing = this.#groups.missing(root);
    // A parent that may be in another process is matched by ids only.
    if (missing >= 0 && !isLocal(spans.flags[root]!)) return;
    let takes = false;
    const entry = memory.some(view, spans.trace[root]!, (entry) => {
      if (!this.#isNestedByTime(root, missing, entry)) return false;
      // A call has any number of inner spans; a claim holds for one span.
      takes = memory.kind(entry) === entryKind.claim;
      if (takes && !memory.isFreeFor(entry, view, spans.id[root]!)) return false;
      return !this.#isOwn(entry, root);
    });
    if (entry < 0) return;
    if (takes) memory.take(entry, view, spans.id[root]!);
    this.#settle(root, entry, reason.nested);
  }

  /**
   * Same instance, method and path, and one span within the other in time.
   * @param missing see `CallGroups`
   */
  #isNestedByTime(root: number, missing: number, entry: number): boolean {
    const { instance, request, parent, startNs, endNs, cursor } = this.#spans;
    const memory = this.#memory;
    if (memory.get(entry, 'instance') !== instance[root]) return false;
    if (memory.get(entry, 'request') !== request[root]) return false;
    // Spans side by side below one parent are separate calls: a service may keep one span open as long as it
    // runs.
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
   * Records that the missing parent's call is counted already.
   * @param by offset in `bys` of the id of the span that counts for it
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

/** After this many requests without a split call, a service is taken for one with one span per call. */
const trialRequests = 64;
/** Entries while no service is known to make several spans per call: 1 MB. */
const trialEntries = 8192;
