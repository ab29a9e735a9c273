import { AppError } from '../../../core/error.ts';
import type { EndpointRecord, Selection, Snapshot } from '../../../core/store/store.ts';
import { minuteS, type Window } from '../../../core/window.ts';
import type { Note } from '../../query/answer-head.ts';
import type { Deployment } from '../series/deployments.ts';
import { equalEdges } from '../series/series.ts';
import { type ComparedGroup, type ComparedSide, intervalsMost, noSide } from './comparison.ts';

/** Two versions of one service. */
export interface VersionPair {
  service: string;
  environment: string;
  /** The version compared with. */
  before: string;
  after: string;
}

export interface AskedVersions {
  before_version?: string | undefined;
  version?: string | undefined;
}

/**
 * The versions to compare, of each service that has both. Unless told, the later one is the version whose first call
 * is newest, and the earlier one the version that appeared before it.
 * @param deployments by service
 * @throws AppError `invalid` for one version twice; `not_found` for a version that no service has
 */
export function versionPairs(
  deployments: ReadonlyMap<string, readonly Deployment[]>,
  asked: AskedVersions,
): { pairs: VersionPair[]; notes: Note[] } {
  checkAsked(deployments, asked);
  const pairs: VersionPair[] = [];
  const alone: string[] = [];
  for (const versions of deployments.values()) {
    const find = (name: string | undefined) => versions.find(({ version }) => version === name);
    const after = asked.version === undefined ? versions.at(-1) : find(asked.version);
    if (after === undefined) continue;
    const before = asked.before_version ?? after.previous;
    const { service, environment, version } = after;
    if (before === undefined) alone.push(service);
    else if (find(before) === undefined || before === version) continue;
    else pairs.push({ service, environment, before, after: version });
  }
  return { pairs, notes: aloneNotes(alone) };
}

function checkAsked(
  deployments: ReadonlyMap<string, readonly Deployment[]>,
  asked: AskedVersions,
): void {
  const known = [...deployments.values()].flat();
  for (const field of ['before_version', 'version'] as const) {
    const name = asked[field];
    if (name === undefined || known.some(({ version }) => version === name)) continue;
    const message = `${field}=${JSON.stringify(name)} is no version of these services: /events lists those that were observed`;
    throw new AppError('not_found', message, { field });
  }
  if (asked.version === undefined || asked.version !== asked.before_version) return;
  const message = `version and before_version are both ${JSON.stringify(asked.version)}: give two versions`;
  throw new AppError('invalid', message, { field: 'before_version' });
}

/** Names that a note lists. */
const namedInNote = 5;

function aloneNotes(services: readonly string[]): Note[] {
  if (services.length === 0) return [];
  const names = services.slice(0, namedInNote).map((name) => JSON.stringify(name));
  const more = services.length > namedInNote ? ` and ${services.length - namedInNote} more` : '';
  const message = `Only one version was observed of ${names.join(', ')}${more}: there is nothing to compare it with.`;
  return [{ code: 'one_version', message, field: null }];
}

/** Where ranges share at least this part of the time that they take together, the versions ran side by side. */
const sideBySide = 0.8;

/**
 * The calls of both versions in a window. Each version is cut into intervals from its first to its last call, so that
 * a version of yesterday has as many as one of last month. Versions that ran side by side, as a canary does, are
 * compared interval by interval: they met the same load.
 * @param selection of the service
 */
export async function versionGroup(
  snapshot: Snapshot,
  selection: Selection,
  { before, after }: VersionPair,
  window: Window,
): Promise<ComparedGroup> {
  const endpoints = await snapshot.endpoints(selection);
  const was = await rangeOf(snapshot, endpoints, before, window);
  const is = await rangeOf(snapshot, endpoints, after, window);
  const shared = was && is && sharedRange(was, is);
  const side = async (version: string, range: Window | undefined): Promise<ComparedSide> => {
    if (range === undefined) return noSide;
    const edgesS = await equalEdges(snapshot, range, intervalsMost);
    return {
      usages: await snapshot.versionUsage(selection, version, window),
      intervals: await snapshot.versionDistributions(selection, version, edgesS),
    };
  };
  return {
    endpoints,
    before: await side(before, shared ?? was),
    after: await side(after, shared ?? is),
    isPaired: shared !== undefined,
  };
}

/** From the first to the last call of a version, within the window, whole steps as they are kept. */
async function rangeOf(
  snapshot: Snapshot,
  endpoints: readonly EndpointRecord[],
  version: string,
  window: Window,
): Promise<Window | undefined> {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = 0;
  for (const { versions } of endpoints) {
    const record = versions.find((one) => one.version === version);
    if (record === undefined) continue;
    fromMs = Math.min(fromMs, record.firstCallMs);
    toMs = Math.max(toMs, record.lastCallMs);
  }
  const first = Math.floor(fromMs / 60_000) * minuteS;
  const last = (Math.floor(toMs / 60_000) + 1) * minuteS;
  const [fromS, toS] = [Math.max(window.fromS, first), Math.min(window.toS, last)];
  if (fromS >= toS) return undefined;
  const kept = (await snapshot.coverage({ fromS, toS })).window;
  return { fromS: Math.max(window.fromS, kept.fromS), toS: Math.min(window.toS, kept.toS) };
}

function sharedRange(a: Window, b: Window): Window | undefined {
  const both = { fromS: Math.min(a.fromS, b.fromS), toS: Math.max(a.toS, b.toS) };
  const sharedS = Math.min(a.toS, b.toS) - Math.max(a.fromS, b.fromS);
  return sharedS >= sideBySide * (both.toS - both.fromS) ? both : undefined;
}
