import { deflateSync } from 'node:zlib';
import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import {
  HistogramCounts,
  histogramSlots,
  middleOfSlotUs,
  slotOfUs,
  standardHistogram,
} from '../../../core/usage/histogram.ts';
import { fc } from '../../support/property.ts';

const duration = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 60_000_000 }),
  fc.integer({ min: 2 ** 31 - 5, max: 2 ** 31 + 5 }),
  fc.double({ min: 0, max: 2 ** 41 - 1, noNaN: true }).map(Math.floor),
);

function encoded(counts: HistogramCounts): Uint8Array {
  const out = new Uint8Array(histogramSlots * 10);
  return out.subarray(0, counts.encode(out, 0));
}

/** The reference library's reading of our bytes, by way of its own compressed format. */
function reference(payload: Uint8Array) {
  const compressed = deflateSync(standardHistogram(payload));
  const framed = Buffer.alloc(8 + compressed.length);
  framed.writeInt32BE(0x1c849314, 0);
  framed.writeInt32BE(compressed.length, 4);
  framed.set(compressed, 8);
  return decodeFromCompressedBase64(framed.toString('base64'));
}

describe('histogram', () => {
  it('puts every duration into a bucket whose middle is within 0.4 % of it', () => {
    fc.assert(
      fc.property(duration, (us) => {
        const middle = middleOfSlotUs(slotOfUs(us));
        expect(Math.abs(middle - us)).toBeLessThanOrEqual(us * 0.004 + 0.5);
      }),
    );
  });

  it('keeps buckets in order, and everything beyond the last in the last', () => {
    fc.assert(
      fc.property(duration, duration, (a, b) => {
        if (a <= b) expect(slotOfUs(a)).toBeLessThanOrEqual(slotOfUs(b));
      }),
    );
    expect(slotOfUs(2 ** 52)).toBe(histogramSlots - 1);
  });

  it("is read by HdrHistogram's own decoder with the same counts and percentiles", () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (durations) => {
        const counts = new HistogramCounts();
        const own = build({
          lowestDiscernibleValue: 1,
          highestTrackableValue: 2 ** 41,
          numberOfSignificantValueDigits: 2,
          bitBucketSize: 64,
          useWebAssembly: false,
        });
        for (const us of durations) {
          counts.addUs(us);
          own.recordValue(us);
        }
        const theirs = reference(encoded(counts));
        expect(theirs.totalCount).toBe(durations.length);
        for (const percent of [1, 50, 90, 99, 100]) {
          expect(theirs.getValueAtPercentile(percent)).toBe(own.getValueAtPercentile(percent));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('adds encoded histograms as if their durations had been added one by one', () => {
    const lists = fc.array(fc.array(duration, { maxLength: 60 }), { maxLength: 6 });
    fc.assert(
      fc.property(lists, (groups) => {
        const merged = new HistogramCounts();
        const plain = new HistogramCounts();
        const part = new HistogramCounts();
        for (const durations of groups) {
          for (const us of durations) {
            part.addUs(us);
            plain.addUs(us);
          }
          const bytes = encoded(part);
          merged.addEncoded(bytes, 0, bytes.length);
          part.clear();
        }
        expect(encoded(merged)).toEqual(encoded(plain));
      }),
    );
  });

  it('answers values at nearest ranks within 1 %, and the extremes exactly', () => {
    const durations = fc.array(fc.integer({ min: 50_000, max: 2e12 }), {
      minLength: 1,
      maxLength: 500,
    });
    fc.assert(
      fc.property(durations, (durationsNs) => {
        const sorted = [...durationsNs].sort((a, b) => a - b);
        const counts = new HistogramCounts();
        for (const ns of sorted) counts.addUs(Math.floor(ns / 1000 + 0.5));
        const percents = [1, 50, 75, 90, 95, 99, 100];
        const values = counts.percentilesNs(percents, sorted.length, sorted[0]!, sorted.at(-1)!);
        values.forEach((value, i) => {
          const rank = Math.max(1, Math.ceil((percents[i]! * sorted.length) / 100));
          const exact = sorted[rank - 1]!;
          expect(Math.abs(value - exact) / exact).toBeLessThan(0.01);
        });
        expect(values.at(-1)).toBe(sorted.at(-1));
      }),
    );
  });
});
