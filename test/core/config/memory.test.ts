import { describe, expect, it } from 'vitest';
import { analyzerMemory, serviceMemoryBytes } from '../../../core/config/memory.ts';

const mib = 2 ** 20;
const noLimit = 2 ** 64;

describe('the memory of a service', () => {
  it("is the container's limit", () => {
    expect(serviceMemoryBytes(768 * mib, 24_000 * mib)).toBe(768 * mib);
  });

  it("is a quarter of the machine's memory without a container, from 768 to 2048 MiB", () => {
    expect(serviceMemoryBytes(noLimit, 1_024 * mib)).toBe(768 * mib);
    expect(serviceMemoryBytes(noLimit, 4_096 * mib)).toBe(1_024 * mib);
    expect(serviceMemoryBytes(0, 64_000 * mib)).toBe(2_048 * mib);
  });

  it('is divided so that the heap of the answering thread and unread answers leave a quarter to the rest', () => {
    for (const memoryMiB of [768, 1_024, 2_048, 16_384]) {
      const parts = analyzerMemory(memoryMiB * mib);
      const heapMiB = parts.answersOldMiB + parts.answersYoungMiB;
      expect(heapMiB + parts.unreadAnswerBytes / mib).toBeLessThanOrEqual(memoryMiB * 0.75);
    }
    const shipped = analyzerMemory(768 * mib);
    expect(shipped).toMatchObject({ answersOldMiB: 384, unreadAnswerBytes: 64 * mib });
    expect(shipped.answersYoungMiB).toBeCloseTo(76.8, 1);
  });
});
