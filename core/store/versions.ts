import { limits } from '../limits.ts';

/**
 * The service versions that answered an endpoint, kept for ever with its record. Versions lie flat in one array,
 * latest last call first: `versionNumbers` numbers each. They are the engine's number of the version, the ends of
 * its first and its last call in milliseconds, and its calls: spans, whatever each stands for.
 *
 * Past `limits.versionsPerRecord` the version whose last call is oldest is added to `otherVersions`, the last entry.
 * A version that is called again after that begins anew.
 */
export const versionNumbers = 4;

/** The number of the entry that holds the versions past the bound. */
export const otherVersions = 0;

/** Notes calls of one version. Up to the bound, the order of calls does not matter. */
export function noteVersion(
  versions: number[],
  version: number,
  firstMs: number,
  lastMs: number,
  calls: number,
): void {
  // Nearly always a version that is known and was called later: nothing moves.
  for (let at = 0; at < versions.length; at += versionNumbers) {
    if (versions[at] !== version) continue;
    if (lastMs > versions[at + 2]! && at > 0) break;
    if (firstMs < versions[at + 1]!) versions[at + 1] = firstMs;
    if (lastMs > versions[at + 2]!) versions[at + 2] = lastMs;
    versions[at + 3]! += calls;
    return;
  }
  addTo(versions, version, firstMs, lastMs, calls);
  const hasOthers = versions.at(-versionNumbers) === otherVersions;
  const named = versions.length / versionNumbers - (hasOthers ? 1 : 0);
  if (named <= limits.versionsPerRecord) return;
  const oldest = versions.splice((named - 1) * versionNumbers, versionNumbers);
  addTo(versions, otherVersions, oldest[1]!, oldest[2]!, oldest[3]!);
}

/** Notes the versions of another array. */
export function noteVersions(versions: number[], more: readonly number[]): void {
  for (let i = 0; i < more.length; i += versionNumbers) {
    noteVersion(versions, more[i]!, more[i + 1]!, more[i + 2]!, more[i + 3]!);
  }
}

function addTo(
  versions: number[],
  version: number,
  firstMs: number,
  lastMs: number,
  calls: number,
): void {
  let at = 0;
  while (at < versions.length && versions[at] !== version) at += versionNumbers;
  if (at === versions.length) versions.push(version, firstMs, lastMs, calls);
  else {
    if (firstMs < versions[at + 1]!) versions[at + 1] = firstMs;
    if (lastMs > versions[at + 2]!) versions[at + 2] = lastMs;
    versions[at + 3]! += calls;
  }
  if (version === otherVersions) return;
  // Move the entry up past every version whose last call came earlier.
  for (; at > 0; at -= versionNumbers) {
    const before = at - versionNumbers;
    if (versions[before] !== otherVersions && versions[before + 2]! >= versions[at + 2]!) return;
    for (let i = 0; i < versionNumbers; i++) {
      const number = versions[before + i]!;
      versions[before + i] = versions[at + i]!;
      versions[at + i] = number;
    }
  }
}
