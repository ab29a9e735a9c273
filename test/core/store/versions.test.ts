import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Random } from '../../../core/random.ts';
import {
  noteVersion,
  noteVersions,
  otherVersions,
  versionNumbers,
} from '../../../core/store/versions.ts';

describe('versions of an endpoint', () => {
  it('are the same for any order of the calls and any grouping, up to the bound', () => {
    const random = new Random(3);
    const calls = Array.from({ length: 2_000 }, () => ({
      version: 1 + Math.floor(random.next() * limits.versionsPerRecord),
      ms: Math.floor(random.next() * 1e9),
    }));
    const inOrder: number[] = [];
    for (const { version, ms } of calls) noteVersion(inOrder, version, ms, ms, 1);
    const parts = [calls.slice(0, 700), calls.slice(700, 701), calls.slice(701)].map((part) => {
      const own: number[] = [];
      for (const { version, ms } of part.toReversed()) noteVersion(own, version, ms, ms, 1);
      return own;
    });
    const merged: number[] = [];
    for (const part of parts.reverse()) noteVersions(merged, part);
    expect(merged).toEqual(inOrder);
    for (let i = 0; i < merged.length; i += versionNumbers) {
      const own = calls.filter(({ version }) => version === merged[i]).map(({ ms }) => ms);
      const [first, last] = [Math.min(...own), Math.max(...own)];
      expect(merged.slice(i + 1, i + 4)).toEqual([first, last, own.length]);
      if (i > 0) expect(merged[i - 2]).toBeGreaterThanOrEqual(last);
    }
  });

  it('past the bound are added up in the last entry, which never moves', () => {
    const versions: number[] = [];
    const many = limits.versionsPerRecord + 3;
    for (let n = 1; n <= many; n++) noteVersion(versions, n, n * 10, n * 10 + 5, 2);
    expect(versions).toHaveLength((limits.versionsPerRecord + 1) * versionNumbers);
    expect(versions.slice(0, 4)).toEqual([many, many * 10, many * 10 + 5, 2]);
    expect(versions.slice(-4)).toEqual([otherVersions, 10, 35, 6]);
    const more: number[] = [];
    noteVersions(more, versions);
    noteVersion(more, many, 5_000, 6_000, 1);
    expect(more.slice(0, 4)).toEqual([many, many * 10, 6_000, 3]);
    expect(more.slice(-4)).toEqual([otherVersions, 10, 35, 6]);
  });
});
