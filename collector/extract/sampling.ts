import { limits } from '../../core/limits.ts';
import { roundedWeight } from '../../core/weight.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';
import { slot } from './span-attributes.ts';
import { TraceState } from './trace-state.ts';

/** In place of a weight: the span has no sampling attribute, or only impossible ones. */
export const unsaid = -1;
export const unbelieved = -2;

/**
 * The sampling weight of a span (docs/extraction.md 3, docs/decisions/0006-sampling.md). The first valid one
 * of: tracestate `ot=th`, tracestate `ot=p`, `X-SampleRatio` (Tempo), `SampleRate` (Honeycomb), `sampler.param`
 * of a probabilistic sampler (Jaeger, on root spans only).
 * @returns a weight (core/weight.ts), `unsaid` or `unbelieved`
 */
export function weightSaid(walk: TracesReader): number {
  let isDoubtful = false;
  for (let i = 0; i < carriers.length; i += 1) {
    const weight = carriers[i]!(walk);
    if (weight >= 0) return weight;
    if (weight === unbelieved) isDoubtful = true;
  }
  return isDoubtful ? unbelieved : unsaid;
}

/** In [0, 1), for `copiesOf`: depends only on the span, not on when or in which order it arrives. */
export function chanceOf(walk: TracesReader): number {
  let hash = walk.endLow | 0;
  if (walk.traceIdLength === 16) {
    const { view } = walk.cursor;
    for (let i = 0; i < 16; i += 4) hash = mix(hash ^ view.getInt32(walk.traceIdStart + i));
  }
  return (mix(hash) >>> 0) / 2 ** 32;
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const carriers: readonly ((walk: TracesReader) => number)[] = [
  tracestateWeight,
  sampleRatioWeight,
  sampleRateWeight,
  jaegerWeight,
];

const state = new TraceState();

function tracestateWeight(walk: TracesReader): number {
  if (walk.traceStateLength === 0) return unsaid;
  const { bytes } = walk.cursor;
  state.read(bytes, walk.traceStateStart, walk.traceStateStart + walk.traceStateLength);
  const byThreshold = state.thEnd === 0 ? unsaid : thresholdWeight(walk);
  if (byThreshold >= 0) return byThreshold;
  const byExponent = state.pEnd === 0 ? unsaid : exponentWeight(bytes);
  return byExponent >= 0 ? byExponent : Math.min(byThreshold, byExponent);
}

/**
 * `th`: the sampler kept the span because 56 random bits (`rv`, else the end of its trace id) are not below the
 * threshold T; the weight is 2^56/(2^56 − T). When they are below, another sampler kept it and T does not
 * apply. 56 bits exceed a number's 53, so both are two halves of 28 bits.
 */
function thresholdWeight(walk: TracesReader): number {
  const { bytes } = walk.cursor;
  const digits = state.thEnd - state.thStart;
  if (digits < 1 || digits > 14) return unbelieved;
  const high = hexHalf(bytes, state.thStart, state.thEnd);
  const low = hexHalf(bytes, state.thStart + 7, state.thEnd);
  if (high < 0 || low < 0 || !isKept(walk, high, low)) return unbelieved;
  return credible(2 ** 56 / ((2 ** 28 - high) * 2 ** 28 - low));
}

/** Whether the span's randomness reaches the threshold; also when it has none to compare. */
function isKept(walk: TracesReader, high: number, low: number): boolean {
  const { bytes } = walk.cursor;
  let randomHigh: number;
  let randomLow: number;
  if (state.rvEnd !== 0) {
    if (state.rvEnd - state.rvStart !== 14) return false;
    randomHigh = hexHalf(bytes, state.rvStart, state.rvEnd);
    randomLow = hexHalf(bytes, state.rvStart + 7, state.rvEnd);
    if (randomHigh < 0 || randomLow < 0) return false;
  } else if (walk.traceIdLength === 16) {
    const middle = walk.cursor.view.getUint32(walk.traceIdStart + 9);
    randomHigh = middle >>> 4;
    randomLow = (walk.cursor.view.getUint32(walk.traceIdStart + 12) & 0x0fff_ffff) >>> 0;
  } else return true;
  return randomHigh > high || (randomHigh === high && randomLow >= low);
}

/** Seven lower-case hex digits, padded with 0 on the right; -1 when one is none. */
function hexHalf(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < start + 7; at += 1) {
    let digit = 0;
    if (at < end) {
      const byte = bytes[at]!;
      if (byte >= 0x30 && byte <= 0x39) digit = byte - 0x30;
      else if (byte >= 0x61 && byte <= 0x66) digit = byte - 0x57;
      else return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

/** `p`, and `r` beside it (OTEP 168): one of 2^p was kept, those whose r is not below p; 63 is none. */
function exponentWeight(bytes: Uint8Array): number {
  const p = smallDecimal(bytes, state.pStart, state.pEnd);
  const r = state.rEnd === 0 ? 62 : smallDecimal(bytes, state.rStart, state.rEnd);
  if (p === 63) return 0;
  if (p < 0 || r < 0 || r > 62 || p > r) return unbelieved;
  return credible(2 ** p);
}

/** One or two decimal digits up to 63; -1 for anything else. */
function smallDecimal(bytes: Uint8Array, start: number, end: number): number {
  let value = end - start < 1 || end - start > 2 ? -1 : 0;
  for (let at = start; at < end && value >= 0; at += 1) {
    const digit = bytes[at]! - 0x30;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : -1;
  }
  return value > 63 ? -1 : value;
}

function sampleRatioWeight({ attributes }: TracesReader): number {
  const ratio = attributes.number(slot.sampleRatio);
  return attributes.kind(slot.sampleRatio) === 0 ? unsaid : credible(1 / ratio);
}

function sampleRateWeight({ attributes }: TracesReader): number {
  if (attributes.kind(slot.sampleRate) === 0) return unsaid;
  const rate = attributes.number(slot.sampleRate);
  return Number.isInteger(rate) ? credible(rate) : unbelieved;
}

function jaegerWeight({ attributes }: TracesReader): number {
  if (attributes.kind(slot.samplerParam) === 0) return unsaid;
  if (attributes.text(slot.samplerType) !== 'probabilistic') return unsaid;
  return credible(1 / attributes.number(slot.samplerParam));
}

function credible(weight: number): number {
  return weight >= 1 && weight <= limits.callWeight ? roundedWeight(weight) : unbelieved;
}
