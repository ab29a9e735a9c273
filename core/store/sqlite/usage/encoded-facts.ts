import { outcomes } from '../../../outcome.ts';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import { callerNumbers } from '../../last-callers.ts';
import { versionNumbers } from '../../versions.ts';
import { addFacts, type EndpointFacts, factsIn, noFacts } from './endpoint-facts.ts';

/** Parts of an encoded endpoint that most endpoints of a run do not have. */
const hasWeights = 1;
const hasOtherOutcomes = 2;
const hasAnsweredCallers = 4;
const hasUnrecorded = 8;

const doublesOfWeights = 3 + outcomes.length;

/**
 * Facts as bytes, for runs: varints, times in milliseconds before the last call. An endpoint is `endpoint, parts,
 * last call, first call, calls, errors, bot calls, person, callers, versions`; then come, where `parts` has their
 * bit, its outcomes (without the bit all calls were answered), the callers of answered calls, the newest call that
 * is not recorded, and f64 for what was sampled out.
 */
export function encodeFacts(byEndpoint: Iterable<readonly [number, EndpointFacts]>): Buffer {
  let out = Buffer.allocUnsafe(4096);
  let at = 0;
  for (const [endpoint, facts] of byEndpoint) {
    const { callers, answeredCallers = [], versions } = facts;
    const numbers = callers.length + answeredCallers.length + versions.length;
    const bytesMax = 128 + numbers * 8 + doublesOfWeights * 8;
    if (at + bytesMax > out.length) {
      const next = Buffer.allocUnsafe(out.length * 2 + bytesMax);
      out.copy(next, 0, 0, at);
      out = next;
    }
    at = putFacts(out, at, endpoint, facts);
  }
  return out.subarray(0, at);
}

function putFacts(out: Buffer, at: number, endpoint: number, facts: EndpointFacts): number {
  const { lastCallMs, calls, callers, answeredCallers, versions } = facts;
  const parts =
    (facts.sampledMs > 0 ? hasWeights : 0) |
    (facts.outcomes[0] === calls ? 0 : hasOtherOutcomes) |
    (answeredCallers ? hasAnsweredCallers : 0) |
    (facts.unrecordedMs > 0 ? hasUnrecorded : 0);
  at = putVarint(out, at, endpoint);
  at = putVarint(out, at, parts);
  at = putVarint(out, at, lastCallMs);
  at = putVarint(out, at, lastCallMs - facts.firstCallMs);
  at = putVarint(out, at, calls);
  at = putVarint(out, at, facts.errors);
  at = putVarint(out, at, facts.botCalls);
  at = putMoment(out, at, lastCallMs, facts.personMs);
  at = putCallers(out, at, lastCallMs, callers);
  at = putVarint(out, at, versions.length / versionNumbers);
  for (let i = 0; i < versions.length; i += versionNumbers) {
    at = putVarint(out, at, versions[i]!);
    at = putVarint(out, at, lastCallMs - versions[i + 1]!);
    at = putVarint(out, at, lastCallMs - versions[i + 2]!);
    at = putVarint(out, at, versions[i + 3]!);
  }
  if (parts & hasOtherOutcomes) for (const n of facts.outcomes) at = putVarint(out, at, n);
  if (answeredCallers) at = putCallers(out, at, lastCallMs, answeredCallers);
  if (parts & hasUnrecorded) at = putMoment(out, at, lastCallMs, facts.unrecordedMs);
  if (parts & hasWeights) {
    const { unseenCalls, unseenErrors, unseenOutcomes, sampledMs } = facts;
    for (const value of [unseenCalls, unseenErrors, sampledMs, ...unseenOutcomes]) {
      at = out.writeDoubleLE(value, at);
    }
  }
  return at;
}

/** 0 for none, else one more than the time before the last call. */
function putMoment(out: Buffer, at: number, lastCallMs: number, ms: number): number {
  return putVarint(out, at, ms === 0 ? 0 : 1 + lastCallMs - ms);
}

function putCallers(out: Buffer, at: number, lastCallMs: number, callers: number[]): number {
  at = putVarint(out, at, callers.length / callerNumbers);
  for (let i = 0; i < callers.length; i += callerNumbers) {
    at = putVarint(out, at, callers[i]!);
    at = putVarint(out, at, callers[i + 1]!);
    at = putVarint(out, at, lastCallMs - callers[i + 2]!);
  }
  return at;
}

/** Adds encoded facts to the facts of each endpoint. */
export function addEncodedFacts(byEndpoint: Map<number, EndpointFacts>, bytes: Uint8Array): void {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const double = (): number => {
    const value = view.getFloat64(reader.at, true);
    reader.at += 8;
    return value;
  };
  while (reader.at < bytes.length) {
    const facts = factsIn(byEndpoint, reader.next());
    const parts = reader.next();
    const more = noFacts();
    const lastCallMs = reader.next();
    more.lastCallMs = lastCallMs;
    more.firstCallMs = lastCallMs - reader.next();
    more.calls = reader.next();
    more.errors = reader.next();
    more.botCalls = reader.next();
    more.personMs = moment(reader, lastCallMs);
    more.callers = callers(reader, lastCallMs);
    for (let left = reader.next(); left > 0; left--) {
      const [version, firstMs, lastMs] = [reader.next(), reader.next(), reader.next()];
      more.versions.push(version, lastCallMs - firstMs, lastCallMs - lastMs, reader.next());
    }
    if (parts & hasOtherOutcomes) more.outcomes = outcomes.map(() => reader.next());
    else more.outcomes[0] = more.calls;
    if (parts & hasAnsweredCallers) more.answeredCallers = callers(reader, lastCallMs);
    if (parts & hasUnrecorded) more.unrecordedMs = moment(reader, lastCallMs);
    if (parts & hasWeights) {
      more.unseenCalls = double();
      more.unseenErrors = double();
      more.sampledMs = double();
      more.unseenOutcomes = outcomes.map(double);
    }
    addFacts(facts, more);
  }
}

function moment(reader: VarintReader, lastCallMs: number): number {
  const before = reader.next();
  return before === 0 ? 0 : 1 + lastCallMs - before;
}

function callers(reader: VarintReader, lastCallMs: number): number[] {
  const found: number[] = [];
  for (let left = reader.next(); left > 0; left--) {
    found.push(reader.next(), reader.next(), lastCallMs - reader.next());
  }
  return found;
}
