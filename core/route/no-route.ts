import type { RouteSegment } from './segments.ts';

/** Texts that stand where a route belongs and are none, or hold one beside something else. */

/**
 * Whether the text does not describe the path: a word for "no route" (Elysia's `undefined`, Micrometer's
 * `UNKNOWN`), a gateway's matching rule (Traefik, Istio), or a route's name that holds a path (API Platform).
 */
export function isNoRoute(text: string): boolean {
  return noRouteWord.test(text) || matchingRule.test(text) || /^_[a-z]+_\//.test(text);
}

const noRouteWord =
  /^[<[({]?(unknown|undefined|null|nan|none|n\/a|root|redirection|unmatched|(unknown|no)[_ -]?route|not[_ -]?found)[>\])}]?$/i;
// Traefik: Host(`a.example`) && PathPrefix(`/api`). Istio: outbound|9080||reviews.default.svc.cluster.local.
const matchingRule =
  /(?:\b(Host|HostSNI|HostRegexp|Path|PathPrefix|PathRegexp|Method|Headers?|HeadersRegexp|Query|ClientIP)(Regexp)?\s*\(\s*[`'"])|^(in|out)bound\|/;

/**
 * The text without a method before the path, as frameworks and agents join the two: `GET /a`, `GET - /a`,
 * `GET:/a` and `{GET}/a` (SkyWalking), `http get /a` (Spring), `get /a` (Zipkin), `Recv./a` (OpenCensus),
 * `http:/a` (Sleuth 1).
 */
export function withoutMethod(text: string): string {
  return text.replace(protocolWord, '').replace(verbAndPath, '').replace(methodWord, '');
}

/** The method that `withoutMethod` leaves out; '' when there is none. In the sender's letters. */
export function methodWordOf(text: string): string {
  const bare = text.replace(protocolWord, '');
  return (
    (verbAndPath.exec(bare) ?? /^([A-Z]{3,10})(?= |$)/.exec(bare) ?? verbAlone.exec(bare))?.[1] ??
    ''
  );
}

// Next.js names requests for server components `RSC GET /items/[id]`.
const protocolWord =
  /^(?:https?:(?=\/(?!\/))|Recv\.(?=\/)|HTTP +(?=[a-z[{(</])|RSC +(?=[A-Z]+ +\/))/i;
const methodWord = /^[A-Z_]{3,20} +(?:- +)?(?=\S)/;
// Small letters and other joints only with a verb: `middleware - /x` is no method, `get/x` a path.
const knownVerb = 'get|head|post|put|delete|options|trace|patch|query|any|all';
const verbAndPath = new RegExp(
  `^[[{(<]?(${knownVerb})(?:[\\]})>] *| +| *- *| *: *| *-?> *|\\|)(?=/)`,
  'i',
);

/** zipkin-js' `get`. */
const verbAlone = new RegExp(`^(${knownVerb})$`, 'i');

/** Whether a segment is the text of a missing value: `/undefined/users/:id` of a base URL that is not set. */
export function isDebris({ kind, texts }: RouteSegment): boolean {
  return kind === 'literal' && /^(undefined|null|nan)$/.test(texts[0]!);
}

/**
 * Whether a segment may name a place in a framework's folders and no part of the path: Next.js' `page` and
 * `route` at the end and `@slot`, Remix' and TanStack's `_layout`.
 */
export function isFolderOnly({ kind, texts }: RouteSegment, isLast: boolean): boolean {
  if (kind !== 'literal') return false;
  return /^[@_][\w-]+$/.test(texts[0]!) || (isLast && /^(page|route|index)$/.test(texts[0]!));
}
