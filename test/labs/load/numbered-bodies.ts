import { gzipSync } from 'node:zlib';
import { Random } from '../../../core/random.ts';
import { decodeSpans } from './decoded-span.ts';
import { server } from './payload.ts';
import { endpointKey } from './truth.ts';

/**
 * Bodies by number: body `n` is the same bytes whenever it is asked for, so whoever may have to send it
 * again keeps only the number. All its spans are calls, and how many go to which endpoint differs from
 * body to body, so that a lost one does not hide a doubled one.
 */
export class NumberedBodies {
  readonly spans: number;
  #seed: number;
  #firstEndNs: bigint;
  #templates: ReturnType<typeof server>[];
  /** By template; decoding takes a while, and a loader never asks. */
  #counts: Map<string, number>[] = [];

  /** @param startMs the calls of body `n` end about `n` milliseconds after this */
  constructor(seed: number, startMs: number, spans: number, templates = 64) {
    this.spans = spans;
    this.#seed = seed;
    this.#firstEndNs = BigInt(startMs) * 1_000_000n;
    const random = new Random(seed);
    this.#templates = Array.from({ length: templates }, () => server(random, spans));
  }

  bytes(number: number): Buffer {
    const template = this.#templates[number % this.#templates.length]!;
    const bytes = Buffer.from(template.bytes);
    const random = new Random(this.#seed * 1_000_003 + number + 1);
    template.stamp(bytes, random, this.#firstEndNs + BigInt(number) * 1_000_000n);
    return bytes;
  }

  /** The same bytes compressed, as fast as zlib can. */
  gzip(number: number): Buffer {
    return gzipSync(this.bytes(number), { level: 1 });
  }

  /** Calls of the body by `endpointKey`. */
  calls(number: number): ReadonlyMap<string, number> {
    const turn = number % this.#templates.length;
    this.#counts[turn] ??= callsByEndpoint(this.#templates[turn]!.bytes);
    return this.#counts[turn];
  }
}

function callsByEndpoint(body: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { service, attributes } of decodeSpans(body)) {
    const method = attributes.get('http.request.method')!;
    const route = attributes.get('http.route')!.replace(':id', '{id}');
    const key = endpointKey({ service, method, route });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Calls that a report lacks and calls that it has too many, compared by endpoint. */
export function compareCounts(
  seen: ReadonlyMap<string, number>,
  truth: ReadonlyMap<string, number>,
): { lost: number; doubled: number } {
  let lost = 0;
  let doubled = 0;
  for (const key of new Set([...seen.keys(), ...truth.keys()])) {
    const difference = (seen.get(key) ?? 0) - (truth.get(key) ?? 0);
    if (difference < 0) lost -= difference;
    else doubled += difference;
  }
  return { lost, doubled };
}

/** Adds what `more` counts. */
export function addCounts(into: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [key, count] of more) into.set(key, (into.get(key) ?? 0) + count);
}
