import { limits } from './limits.ts';

/**
 * Traits of an endpoint: what spans say of it beside its calls. They stand in its permanent record. The newest span
 * that says something of a trait counts.
 */
export interface EndpointTraits {
  /** The end that its answers announced. */
  announcement?: Announcement;
  code?: CodeLocation;
  /** Who answers for it, as the resource says. */
  owner?: { name: string; lastDay: number };
  /** The newest day with a span of an instrumentation that reports announcements whenever there are some. */
  reportingDay?: number;
  /** The newest day with a span that named no route, whose path the inventory's route took (docs/extraction.md X29). */
  byPathDay?: number;
}

/** Headers of a response, as they were sent; '' for those that it lacked. */
export interface Announcement {
  /** RFC 9745. */
  deprecation: string;
  /** RFC 8594. */
  sunset: string;
  /** The links to a page about it, or to its successor. */
  link: string;
  /** End of the oldest span that had such headers, milliseconds since the epoch. */
  firstMs: number;
  /** Days since the epoch, UTC, of the newest one. */
  lastDay: number;
}

/** Where the code of an endpoint is (`code.*` of the semantic conventions); '' and 0 for what is unknown. */
export interface CodeLocation {
  function: string;
  file: string;
  line: number;
  lastDay: number;
}

/** @returns undefined for a text that is no traits: of a damaged row nothing is known, and the rest is read */
export function traitsOfText(text: string): EndpointTraits | undefined {
  try {
    const traits: unknown = JSON.parse(text);
    return typeof traits === 'object' && traits !== null ? traits : undefined;
  } catch {
    return undefined;
  }
}

/** What one span says. */
export interface EndpointNote {
  /** The dictionary's number of the endpoint. */
  endpoint: number;
  traits: EndpointTraits;
}

/** @returns the traits after `more` was learned */
export function withTraits(before: EndpointTraits, more: EndpointTraits): EndpointTraits {
  const { announcement } = more;
  const traits: EndpointTraits = {};
  const announced = newer(before.announcement, announcement);
  if (announced !== undefined) {
    const firstMs = Math.min(
      before.announcement?.firstMs ?? announced.firstMs,
      announcement?.firstMs ?? announced.firstMs,
    );
    traits.announcement = { ...announced, firstMs };
  }
  const code = newer(before.code, more.code);
  if (code !== undefined) traits.code = code;
  const owner = newer(before.owner, more.owner);
  if (owner !== undefined) traits.owner = owner;
  for (const name of ['reportingDay', 'byPathDay'] as const) {
    const day = Math.max(before[name] ?? 0, more[name] ?? 0);
    if (day > 0) traits[name] = day;
  }
  return traits;
}

/** Of one day the second: it came later. */
function newer<T extends { lastDay: number }>(a: T | undefined, b: T | undefined): T | undefined {
  return a === undefined || (b !== undefined && b.lastDay >= a.lastDay) ? b : a;
}

/** Whether a text of a header is short enough to be one. Longer ones are left out: cut, they would say another thing. */
export function isHeaderKept(text: string): boolean {
  return text.length <= limits.announcementChars;
}
