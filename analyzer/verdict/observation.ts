import type { ServiceRecord } from '../../core/store/store.ts';

/**
 * When a service in one environment was observed. A gap in observation (an outage of the service, of its exporter
 * or of Rollcall) is no silence of its endpoints.
 */
export interface Observation {
  /** Ends of its oldest and newest span. */
  firstMs: number;
  lastMs: number;
  /** Ascending, apart from each other, between `firstMs` and `lastMs`. */
  gaps: readonly Gap[];
  /** The end of its newest span that stood for others too (core/weight.ts). */
  lastSampledMs?: number;
  /** Hours in which it was heard: the day, and how many hours up to its end, both ascending. */
  heard: HeardHours;
}

export interface Gap {
  fromMs: number;
  toMs: number;
}

export interface HeardHours {
  days: readonly number[];
  hoursUntil: readonly number[];
}

export const dayMs = 86_400_000;
export const hourMs = 3_600_000;

/** A service heard on fewer days than this has no rhythm yet that it could depart from. */
const rhythmDays = 14;
/** How many times longer than its usual gap a gap of days must be. */
const unusualGaps = 3;
/** Weeks that show in which hours of the week a service is usually heard, and on how many days of each. */
const profileWeeks = 3;
const profileDaysPerWeek = 3.5;
/** A gap of hours is one when so long a silence would come by chance with a probability below e^-20: six hours of a
 *  service that is always heard, six days of one that is heard in one hour of each. */
const unlikely = 20;
/** The share of weeks in which an hour was heard is taken to be at most this: one quiet hour shows nothing. */
const mostHeard = 0.97;

/** @param coldAfterDays a shorter gap of days is none, unless the hours say so */
export function observationOf(service: ServiceRecord, coldAfterDays: number): Observation {
  const { firstCallMs, lastCallMs, lastSampledMs } = service;
  const { gaps, heard } = heardOf(service, coldAfterDays);
  return {
    firstMs: firstCallMs,
    lastMs: lastCallMs,
    gaps,
    heard,
    ...(lastSampledMs !== undefined && { lastSampledMs }),
  };
}

/** Milliseconds of [from, to) in which the service was observed. */
export function observedMs({ firstMs, lastMs, gaps }: Observation, fromMs: number, toMs: number) {
  const from = Math.max(fromMs, firstMs);
  const to = Math.min(toMs, lastMs);
  let ms = Math.max(0, to - from);
  for (const gap of gaps) {
    ms -= Math.max(0, Math.min(to, gap.toMs) - Math.max(from, gap.fromMs));
  }
  return ms;
}

/** The moment by which the service was observed for `ms` after `fromMs`; undefined when it was for less. */
export function momentAfter(observation: Observation, fromMs: number, ms: number) {
  let at = Math.max(fromMs, observation.firstMs);
  let left = ms;
  for (const gap of observation.gaps) {
    if (gap.toMs <= at) continue;
    const before = Math.max(0, gap.fromMs - at);
    if (before >= left) break;
    left -= before;
    at = gap.toMs;
  }
  return at + left <= observation.lastMs ? at + left : undefined;
}

/** Hours heard before a day. */
export function hoursHeardBefore({ days, hoursUntil }: HeardHours, day: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : hoursUntil[low - 1]!;
}

interface Heard {
  gaps: Gap[];
  heard: HeardHours;
}

/** Services whose gaps are cached; a full cache is emptied. */
const cachedServices = 2_000;
const cache = new Map<string, { state: number; found: Heard }>();

/** Cached by service: a year of hours takes 0.1 ms, and few services change their hours between two reports. */
function heardOf(service: ServiceRecord, coldAfterDays: number): Heard {
  const { heardDays, heardHours } = service;
  const key = `${service.service}\0${service.environment}`;
  let state = coldAfterDays;
  for (let i = 0; i < heardDays.length; i++) {
    state = Math.imul(state ^ heardDays[i]!, 0x01000193);
    state = Math.imul(state ^ heardHours[i]!, 0x01000193);
  }
  const cached = cache.get(key);
  if (cached?.state === state) return cached.found;
  let hours = 0;
  const hoursUntil = heardHours.map((bits) => {
    hours += bitCount(bits);
    return hours;
  });
  const gaps = merged([...gapsOfDays(heardDays, coldAfterDays), ...gapsOfHours(service)]);
  const found = { gaps, heard: { days: heardDays, hoursUntil } };
  if (cache.size >= cachedServices) cache.clear();
  cache.set(key, { state, found });
  return found;
}

/** A gap of whole days is longer than is usual for the service: also where it is heard every nine days. */
function gapsOfDays(heardDays: readonly number[], coldAfterDays: number): Gap[] {
  if (heardDays.length < rhythmDays) return [];
  const lengths = heardDays.slice(1).map((day, i) => day - heardDays[i]!);
  const usual = lengths.toSorted((a, b) => a - b)[lengths.length >> 1]!;
  const gaps: Gap[] = [];
  lengths.forEach((length, i) => {
    if (length <= Math.max(coldAfterDays, unusualGaps * usual)) return;
    gaps.push({ fromMs: (heardDays[i]! + 1) * dayMs, toMs: heardDays[i + 1]! * dayMs });
  });
  return gaps;
}

/**
 * A gap of hours is one in which the service would hardly have been quiet by chance. The chance of a quiet hour is
 * the share of weeks in which its hour of the week was quiet: nights and weekends are usual where they always are.
 */
function gapsOfHours({ heardDays, heardHours }: ServiceRecord): Gap[] {
  const heard = new Uint16Array(168);
  const weeks = new Set<number>();
  heardDays.forEach((day, i) => {
    weeks.add(Math.floor(day / 7));
    for (let hour = 0; hour < 24; hour++) {
      if ((heardHours[i]! >> hour) & 1) heard[(day % 7) * 24 + hour]! += 1;
    }
  });
  if (weeks.size < profileWeeks || heardDays.length < profileDaysPerWeek * weeks.size) return [];
  const surprise = Array.from(
    heard,
    (times) => -Math.log(1 - Math.min(mostHeard, times / weeks.size)),
  );
  const gaps: Gap[] = [];
  let last = -1;
  heardDays.forEach((day, i) => {
    for (let hour = 0; hour < 24; hour++) {
      if (!((heardHours[i]! >> hour) & 1)) continue;
      const at = day * 24 + hour;
      if (last >= 0 && at > last + 1) {
        let sum = 0;
        for (let quiet = last + 1; quiet < at && sum < unlikely; quiet++) {
          sum += surprise[quiet % 168]!;
        }
        if (sum >= unlikely) gaps.push({ fromMs: (last + 1) * hourMs, toMs: at * hourMs });
      }
      last = at;
    }
  });
  return gaps;
}

function merged(gaps: Gap[]): Gap[] {
  gaps.sort((a, b) => a.fromMs - b.fromMs);
  const apart: Gap[] = [];
  for (const gap of gaps) {
    const before = apart.at(-1);
    if (before && gap.fromMs <= before.toMs) before.toMs = Math.max(before.toMs, gap.toMs);
    else apart.push({ ...gap });
  }
  return apart;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}
