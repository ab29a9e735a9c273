import { Random } from '../../../core/random.ts';

/**
 * Synthetic endpoints whose future is known: every use of the next three years, of which Rollcall sees the first
 * 400 days. Times are days since the start, with fractions.
 */
export interface SyntheticEndpoint {
  kind: Kind;
  service: number;
  method: string;
  route: string;
  /** Ascending, up to `horizonDays`. */
  uses: number[];
  /** Calls that are refused or missing: scanners, after the removal. */
  probes: number[];
  /** Removed from the service on this day; undefined: never. */
  removedDay?: number;
  /** The endpoint that took its place, by index. */
  renamedTo?: number;
}

export const kinds = [
  'poisson',
  'daily',
  'weekly',
  'monthly',
  'quarterly',
  'yearly',
  'incidents',
  'year end',
  'campaigns',
  'decay',
  'renamed',
] as const;

export type Kind = (typeof kinds)[number];

export const observedDays = 400;
/** Uses are made for so long: what is silent for two years after the observation is dead. */
export const horizonDays = observedDays + 800;
/** 2025-06-01: the turn of the year lies in the middle. */
export const startMs = Date.UTC(2025, 5, 1);

/** Endpoints of each kind among 5,000. */
const shares: Record<Kind, number> = {
  poisson: 1500,
  daily: 800,
  weekly: 450,
  monthly: 450,
  quarterly: 250,
  yearly: 200,
  incidents: 300,
  'year end': 150,
  campaigns: 300,
  decay: 300,
  renamed: 300,
};

export function syntheticEndpoints(
  seed: number,
  count: number,
  services: number,
): SyntheticEndpoint[] {
  const random = new Random(seed);
  const endpoints: SyntheticEndpoint[] = [];
  for (const kind of kinds) {
    const own = Math.round((shares[kind] * count) / 5000);
    for (let n = 0; n < own; n++) {
      const service = random.below(services);
      const method = random.pick(['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']);
      const name = kind.replace(' ', '-');
      const endpoint = { kind, service, method, route: `/${name}/{id}/part${n}` };
      if (kind === 'renamed') {
        // Half of these are the old names, each followed by its new one.
        if (n % 2 === 1) continue;
        const day = 60 + random.below(300);
        const uses = usesOf('poisson', random, 0.2 + random.next());
        const isBefore = (use: number) => use < day;
        const renamedTo = endpoints.length + 1;
        const old = { ...endpoint, uses: uses.filter(isBefore), probes: [], removedDay: day };
        endpoints.push({ ...old, renamedTo });
        const route = `/${name}/v2/{id}/part${n}`;
        endpoints.push({ ...endpoint, route, uses: uses.filter((use) => use >= day), probes: [] });
        continue;
      }
      endpoints.push(withRemoval({ ...endpoint, uses: usesOf(kind, random), probes: [] }, random));
    }
  }
  return endpoints;
}

/** Half of the endpoints are removed on some day; scanners and old clients then knock at a fifth of them. */
function withRemoval(endpoint: SyntheticEndpoint, random: Random): SyntheticEndpoint {
  if (random.next() < 0.5) return endpoint;
  const removedDay = 40 + random.next() * 340;
  const uses = endpoint.uses.filter((use) => use < removedDay);
  const probes: number[] = [];
  if (random.next() < 0.2) {
    for (let at = removedDay; at < observedDays; at += 1 + random.next() * 8) probes.push(at);
  }
  return { ...endpoint, uses, probes, removedDay };
}

function usesOf(kind: Kind, random: Random, rate?: number): number[] {
  const uses: number[] = [];
  const exponential = (mean: number) => -Math.log(1 - random.next()) * mean;
  const hour = random.next();
  const jitter = () => hour + random.next() / 24;
  switch (kind) {
    case 'poisson':
    case 'renamed': {
      // From three a day to one in thirty days.
      const mean = rate === undefined ? 0.33 * 90 ** random.next() : 1 / rate;
      for (let at = exponential(mean); at < horizonDays; at += exponential(mean)) uses.push(at);
      return uses;
    }
    case 'daily': {
      const isWorkday = random.next() < 0.5;
      for (let day = 0; day < horizonDays; day++) {
        if (!isWorkday || weekday(day) % 6 !== 0) uses.push(day + jitter());
      }
      return uses;
    }
    case 'weekly':
      for (let day = random.below(7); day < horizonDays; day += 7) uses.push(day + jitter());
      return uses;
    case 'monthly': {
      const dayOfMonth = 1 + random.below(28);
      return daysWhere((date) => date.getUTCDate() === dayOfMonth).map((day) => day + jitter());
    }
    case 'quarterly': {
      const dayOfMonth = 1 + random.below(28);
      const month = random.below(3);
      const isDay = (date: Date) =>
        date.getUTCDate() === dayOfMonth && date.getUTCMonth() % 3 === month;
      return daysWhere(isDay).flatMap((day) => [day + jitter(), day + jitter()].sort(ascending));
    }
    case 'yearly':
      for (let day = random.below(365); day < horizonDays; day += 365) {
        for (let n = 0; n < 3; n++) uses.push(day + n / 10 + jitter() / 3);
      }
      return uses;
    case 'incidents':
      for (let at = exponential(50); at < horizonDays; at += exponential(50)) {
        for (let n = 1 + random.below(12); n > 0; n--) uses.push(at + random.next() * 2);
      }
      return uses.sort(ascending);
    case 'year end': {
      const isSeason = (date: Date) =>
        (date.getUTCMonth() === 11 && date.getUTCDate() >= 18) ||
        (date.getUTCMonth() === 0 && date.getUTCDate() <= 12);
      return daysWhere(isSeason).flatMap((day) => [day + jitter(), day + jitter()].sort(ascending));
    }
    case 'campaigns':
      for (let at = exponential(60); at < horizonDays; at += 60 + random.next() * 80) {
        const days = 7 + random.below(15);
        for (let day = 0; day < days; day++) uses.push(at + day, at + day + random.next() / 2);
      }
      return uses.sort(ascending);
    case 'decay': {
      const halfLife = 15 + random.next() * 60;
      const most = 0.5 + random.next() * 2.5;
      for (let at = exponential(1 / most); at < horizonDays; at += exponential(1 / most)) {
        if (random.next() < 2 ** (-at / halfLife)) uses.push(at);
      }
      return uses;
    }
  }
}

const ascending = (a: number, b: number): number => a - b;
const weekday = (day: number): number => new Date(startMs + day * 86_400_000).getUTCDay();

function daysWhere(isDay: (date: Date) => boolean): number[] {
  const days = Array.from({ length: horizonDays }, (_, day) => day);
  return days.filter((day) => isDay(new Date(startMs + day * 86_400_000)));
}
