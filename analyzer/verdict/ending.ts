import type { EndpointRecord } from '../../core/store/store.ts';
import type { Declaration } from '../inventory/declarations.ts';
import { dayMs } from './observation.ts';

/** What is known of the end of an endpoint: that it is deprecated, and when it may be gone. */
export interface Ending {
  isDeprecated: boolean;
  /** Since when, or from when on; null where it is not deprecated, or nobody said. */
  deprecatedSinceMs: number | null;
  /** As the inventory wrote it, or the moment of the header. */
  sunsetAt: string | null;
  isSunsetPassed: boolean;
  /** A page about it, or its successor, as answers told. */
  link: string | null;
  /** Answers announce it: callers can know. */
  isAnnounced: boolean;
}

/** An endpoint that was answered for so long without the headers is taken not to announce its end any more. The
 *  instrumentation package reads the headers of one answer in 32. */
const announcementDays = 90;

/**
 * The end of an endpoint. Headers of its answers (RFC 9745, RFC 8594) go before the inventory: they are what callers
 * were told.
 * @returns undefined when nothing says that it ends
 */
export function endingOf(
  endpoint: Pick<EndpointRecord, 'traits' | 'lastAnsweredMs'>,
  declaration: Declaration | undefined,
  nowMs: number,
): Ending | undefined {
  const announced = announcementOf(endpoint);
  const isDeclared = declaration?.deprecated === true;
  const { sunset: declaredSunset } = declaration ?? {};
  if (announced === undefined && !isDeclared && declaredSunset === undefined) return undefined;
  const since = announced?.deprecation;
  const isDue = since?.isDeprecated === true && (since.sinceMs ?? 0) <= nowMs;
  const sunsetMs = announced?.sunsetMs;
  const sunsetAt =
    sunsetMs === undefined ? (declaredSunset ?? null) : new Date(sunsetMs).toISOString();
  return {
    isDeprecated: isDue || isDeclared,
    deprecatedSinceMs: sinceOf(announced, isDeclared ? declaration : undefined),
    sunsetAt,
    // A text that is no date never passes.
    isSunsetPassed: sunsetAt !== null && Date.parse(sunsetAt) <= nowMs,
    link: announced?.link ?? null,
    isAnnounced: announced !== undefined,
  };
}

/** The date of the header; without one the first answer that had the header; then the inventory's date. */
function sinceOf(announced: Announced | undefined, declaration: Declaration | undefined) {
  const { deprecation, firstMs } = announced ?? {};
  if (deprecation?.isDeprecated === true) return deprecation.sinceMs ?? firstMs ?? null;
  const declaredMs = declaration?.deprecatedSince && momentOf(declaration.deprecatedSince);
  return declaredMs || (declaration?.deprecatedMs ?? null);
}

interface Announced {
  deprecation: Deprecation;
  sunsetMs: number | undefined;
  link: string | undefined;
  firstMs: number;
}

/** What the headers say; undefined when they say nothing, or no more. */
function announcementOf({
  traits,
  lastAnsweredMs = 0,
}: Pick<EndpointRecord, 'traits' | 'lastAnsweredMs'>): Announced | undefined {
  const announcement = traits?.announcement;
  if (announcement === undefined) return undefined;
  if (lastAnsweredMs / dayMs - announcement.lastDay > announcementDays) return undefined;
  const deprecation = deprecationOf(announcement.deprecation);
  const sunsetMs = momentOf(announcement.sunset);
  if (!deprecation.isDeprecated && sunsetMs === undefined) return undefined;
  return { deprecation, sunsetMs, link: linkOf(announcement.link), firstMs: announcement.firstMs };
}

interface Deprecation {
  isDeprecated: boolean;
  /** Undefined when the header names no date. */
  sinceMs?: number;
}

/**
 * `@1688169599` (RFC 9745, a structured date), or as its drafts had it: `true`, `?1` or a date of HTTP.
 */
export function deprecationOf(header: string): Deprecation {
  const text = header.trim();
  if (text === '' || /^(false|\?0)$/i.test(text)) return { isDeprecated: false };
  const seconds = /^@(-?\d{1,11})\b/.exec(text)?.[1];
  const sinceMs = seconds === undefined ? momentOf(text) : inRange(Number(seconds) * 1000);
  return { isDeprecated: true, ...(sinceMs !== undefined && { sinceMs }) };
}

const httpDate = /[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT/;

/** The first date of HTTP in the text, else the text as a date of ISO 8601. @returns undefined for a text that is neither */
export function momentOf(text: string): number | undefined {
  const date = httpDate.exec(text)?.[0] ?? (/^\d{4}-\d\d/.test(text) ? text : '');
  return inRange(Date.parse(date));
}

/** Dates that can be written with a year of four digits. */
function inRange(ms: number): number | undefined {
  return ms >= 0 && ms < Date.UTC(9999, 11, 31) ? ms : undefined;
}

/** The target of the first link whose relation is about the end (RFC 9745, RFC 8594, RFC 5829). */
export function linkOf(header: string): string | undefined {
  for (const relation of ['deprecation', 'sunset', 'successor-version']) {
    for (const [, target, parameters] of header.matchAll(/<([^<>]*)>((?:\s*;[^,<]*)*)/g)) {
      const relations = /;\s*rel\s*=\s*"?([^";]*)/i.exec(parameters!)?.[1] ?? '';
      if (relations.trim().toLowerCase().split(/\s+/).includes(relation)) return target;
    }
  }
  return undefined;
}
