import { limits } from '../limits.ts';
import { isNamed } from './name-words.ts';
import { pathSegments } from './path.ts';
import { isAcronym, isRandom, isUuid } from './random-text.ts';

/**
 * The probable route of a path without a reported one (docs/extraction.md 2.5). Segments that look like values become
 * `{id}` or `{date}`, a file `{file}`, everything below a folder of files `{path}`. Words, versions (`v1`) and
 * locales (`en-US`) stay. Numbers, UUIDs and the rest share one name on purpose: `/things/9` and
 * `/things/6f1c2b9e-…` are one endpoint. Pure, linear, and its own output comes back unchanged.
 */
export function templatePath(path: string): string {
  return templateSegments('', pathSegments(path));
}

/** The same for the remainder of a path behind a mount. @param mount canonical, '' for none. */
export function templateSegments(mount: string, path: readonly string[]): string {
  const depth = mount.split('/').length - 1;
  const before = depth === 0 ? '' : mount.slice(mount.lastIndexOf('/') + 1);
  const folder = fileFolder(path, before);
  let text = mount;
  let previous = before;
  let beforePrevious = '';
  for (let at = 0; at < path.length; at += 1) {
    if (at === folder) {
      text += '/{path}';
      break;
    }
    const place: Place = {
      depth: depth + at,
      previous,
      beforePrevious,
      last: at === path.length - 1,
      next: path[at + 1] ?? '',
    };
    beforePrevious = previous;
    previous = templateSegment(path[at]!, place);
    text += `/${previous}`;
    if (text.length > limits.routeBytes) break;
  }
  return boundRoute(text === '' ? '/' : text);
}

/** Cuts a route at a segment so that it stays within `limits.routeBytes`; the rest becomes `{path}`. */
export function boundRoute(route: string): string {
  if (route.length * 3 <= limits.routeBytes || Buffer.byteLength(route) <= limits.routeBytes)
    return route;
  const tail = '/{path}';
  let kept = '';
  let bytes = tail.length;
  for (const segment of route.split('/')) {
    if (segment === '') continue;
    bytes += 1 + Buffer.byteLength(segment);
    if (bytes > limits.routeBytes) break;
    kept += `/${segment}`;
  }
  return kept + tail;
}

/** Whether a reported route is a raw path with values in it, as AWS Lambda reports. */
export function looksRaw(path: readonly string[]): boolean {
  return path.some((segment) => /^\d+$/.test(segment) || isUuid(segment) || isRandom(segment));
}

/** A segment's position in the path: the meaning of a digit depends on it. */
interface Place {
  depth: number;
  /** The segment before it, as templated, and the one before that. */
  previous: string;
  beforePrevious: string;
  last: boolean;
  next: string;
}

const version = /^v\d{1,8}([._-]\d{1,8}){0,3}(-?(alpha|beta|rc|preview)\d{0,3})?$/i;
const date = /^\d{4}-(\d{2}(-\d{2})?|W\d{2}|Q[1-4])([T_ ][\d:.,+-]{2,20}Z?)?$/i;
const placeholder = /^(\w+\()?\{(id|date|file|path|locale)\}(\)|\.\w{1,10}|:[A-Za-z]\w{0,40})?$/;

function templateSegment(segment: string, place: Place): string {
  if (/^[a-z]{1,15}$/.test(segment)) return templateWord(segment, place); // most are words
  if (/^\d{3,}$/.test(segment)) return '{id}';
  if (placeholder.test(segment)) return segment;
  if (segment.length > segmentCharsMax) return '{id}';
  const verb = /^([^:]+):([A-Za-z]+)$/.exec(segment); // Google: things:batchGet
  if (verb) {
    // The position says nothing about the head of Special:Search.
    const previous = /^[A-Za-z]+$/.test(verb[1]!) ? '' : place.previous;
    const head = templateSegment(verb[1]!, { ...place, previous, last: false });
    return `${head}:${verb[2]}`;
  }
  const key = /^([A-Za-z_]\w*)\((.*)\)$/s.exec(segment); // OData: Users(5)
  if (key) return key[2] === '' ? segment : `${key[1]}({id})`;
  if (date.test(segment)) return isVersionPlace(segment, place) ? segment : '{date}';
  if (isVersionPlace(segment, place) || version.test(segment)) return segment;
  if (/^\$[A-Za-z]+$/.test(segment)) return segment; // OData: $metadata
  if (!/^[\w.~+-]+$/.test(segment.replace(/^@/, ''))) return '{id}';
  if (segment.startsWith('@')) return /^@(me|all|self)$/.test(segment) ? segment : '{id}';
  if (isLocale(segment)) return '{locale}';
  const file = fileName(segment);
  if (file) return templateFile(segment, file, place);
  const { previous, beforePrevious } = place;
  if (isValue(segment, previous) || isCode(segment, place)) return '{id}';
  return isNamed(segment, previous, beforePrevious) ? '{id}' : segment;
}

function templateWord(segment: string, { previous, beforePrevious }: Place): string {
  if (segment.length === 2 && languageParents.test(previous)) return '{locale}';
  return isNamed(segment, previous, beforePrevious) ? '{id}' : segment;
}

const languageParents = /^(captions|subtitles|languages?|lang|locales?|translations?|i18n|hl)$/;

/** `en-US`, `pt_br`: a language that is widely spoken and a region. Versions of one page are one endpoint. */
function isLocale(segment: string): boolean {
  const [, language] = /^([a-z]{2})[-_]([a-z]{2}|[A-Z]{2}|[A-Z][a-z]{3})$/.exec(segment) ?? [];
  return language !== undefined && languages.has(language);
}

const languages = new Set(
  'ar bg bn ca cs da de el en es et fa fi fr he hi hr hu it ja ko lt lv ms nb nl pl pt ro ru sk sl sr sv ta th tr uk ur vi zh'.split(
    ' ',
  ),
);

/** `/issue/SHOP-39`, `/prices/BTC-USD`, and in a path of small letters `/fx/CHF/latest`. */
function isCode(segment: string, { depth, previous }: Place): boolean {
  if (/^[A-Z][A-Z\d]{1,9}-\d+$/.test(segment)) return true;
  if (depth === 0 || !/^([a-z][a-z\d_-]*|\{\w+\})$/.test(previous)) return false;
  if (/^[A-Z]{2,5}[-_][A-Z]{2,5}$/.test(segment)) return true;
  return /^[A-Z]{2,3}$/.test(segment) && !isAcronym(segment);
}

/** Longer ones are tokens; the longest words in routes seen are about 40. */
const segmentCharsMax = 64;

/** A first number is the version of Twitter's `/2/tweets` or Twilio's `/2010-04-01/Accounts`. */
function isVersionPlace(segment: string, place: Place): boolean {
  if (place.last || !/^(\d{1,2}(\.\d{1,2})?|\d{4}-\d{2}(-\d{2})?)$/.test(segment)) return false;
  // Behind the name of an API too when it is written like a version: /geo/1.0/zip.
  const isDecimal = segment.includes('.') && place.depth <= 2 && /^[a-z]+$/.test(place.previous);
  const isBehindName = isDecimal && !isPlural(place.previous);
  if (place.depth > 0 && !isBehindName && !/^(api|rest|rpc)$/i.test(place.previous)) return false;
  return /^[A-Za-z_.-]+$/.test(place.next) && !isValue(place.next, '');
}

// --- Files

const folders = new Set(
  `asset assets static public dist build files file media uploads upload images image img css js fonts
   font icons thumbnails downloads download attachments avatars _next _nuxt webjars resources content
   vendor bundles scripts styles`
    .trim()
    .split(/\s+/),
);
/** Endings of programs and of data formats: `/users/7.json` and `/wp-login.php` are endpoints. */
const formats = new Set(
  `json xml jsonl ndjson geojson jsonld php php5 asp aspx ashx asmx jsp jspx do action cgi pl py rb cfm csv rss
   atom ics yaml yml wsdl svc html htm xhtml txt m3u8 proto git`
    .trim()
    .split(/\s+/),
);
const files = new Set(
  `js mjs cjs css map ts tsx scss less png jpg jpeg gif svg webp avif ico bmp tif tiff heic woff woff2 ttf otf
   eot mp3 mp4 m4a m4v m4s mov avi mkv webm ogg oga ogv wav flac aac mpd pdf doc docx xls xlsx ppt pptx odt ods
   rtf md epub zip gz tgz tar bz2 xz zst 7z rar jar war apk ipa dmg exe msi deb rpm iso bin wasm dat db sql
   log bak webmanifest swf psd parquet`
    .trim()
    .split(/\s+/),
);

function fileName(segment: string): { base: string; ending: string } | undefined {
  const dot = segment.lastIndexOf('.');
  if (dot < 1) return undefined;
  const ending = segment.slice(dot + 1).toLowerCase();
  if (!files.has(ending) && !formats.has(ending)) return undefined;
  return { base: segment.slice(0, dot), ending };
}

function templateFile(
  segment: string,
  file: { base: string; ending: string },
  place: Place,
): string {
  if (date.test(file.base)) return `{date}${segment.slice(file.base.length)}`;
  // A file after a value is an endpoint's own: /orders/{id}/invoice.pdf.
  if (place.previous.endsWith('}') && /^[a-z]+$/.test(file.base)) return segment;
  if (isValue(file.base, place.previous))
    return files.has(file.ending) && !isNumber(file.base)
      ? '{file}'
      : `{id}.${segment.slice(file.base.length + 1)}`;
  // A site has few files at its root: favicon.ico, robots.txt.
  return files.has(file.ending) && place.depth > 0 ? '{file}' : segment;
}

/** The index behind the first folder of files when the path ends in a file below it; else -1. */
function fileFolder(path: readonly string[], before: string): number {
  const last = path.at(-1);
  if (last === undefined) return -1;
  const dot = last.lastIndexOf('.');
  if (last !== '{path}' && !(dot > 0 && /^[A-Za-z]\w{0,9}$/.test(last.slice(dot + 1)))) return -1;
  if (folders.has(before)) return 0;
  for (let at = 0; at < path.length - 1; at += 1)
    if (folders.has(path[at]!.toLowerCase())) return at + 1;
  return -1;
}

// --- Values

/** Words that hold digits. */
const words = new Set(
  `oauth1 oauth2 openid2 saml2 s3 ec2 k8s i18n l10n a11y g11n e2e 2fa mfa2 mp3 mp4 h264 h265 utf8 utf16 base32
   base64 sha1 sha256 sha512 md5 web2 web3 ipv4 ipv6 ip4 ip6 x509 p2p b2b b2c c2c o365 m365 u2f fido2 http2 http3
   auth0 log4j log4j2 html5 css3 es6 d3 n8n r2 r2d2 ga4 3d 2d 4k 5g 4g id3 p12 pkcs12 iso8601 rfc3339 gpt3 gpt4
   win32 win64 x86 amd64 arm64 w3c 1password h2 v8 mp2 ws2 neo4j db2 365 office365 dynamics365`
    .trim()
    .split(/\s+/),
);

/** @param segment of `[\w.~+-]` only. @param previous the segment before it, as templated. */
function isValue(segment: string, previous: string): boolean {
  if (segment.startsWith('~')) return segment.length > 1;
  if (isNumber(segment)) return true;
  const lower = segment.toLowerCase();
  if (words.has(lower) || version.test(segment)) return false;
  const parts = segment.split(/[-_.~+]+/).filter((part) => part !== '');
  if (isUuid(segment) || isRandom(segment) || parts.some(isRandom)) return true;
  if (!/\d/.test(segment)) return isSlug(segment, previous) || isListed(segment, previous);
  if (isPlural(previous) && /^[A-Z\d]{5,20}$/.test(segment)) return true;
  if (parts.length === 1) return isMixed(parts[0]!);
  if (/^(top|last|past|next|first|step|level|phase|part|type)[-_]/.test(lower)) return false;
  if (parts.some((part) => (/^\d+$/.test(part) ? part.length > 2 : isMixed(part)))) return true;
  return isPlural(previous) && parts.some((part) => /^\d+$/.test(part));
}

/** Numbers, versions of packages, IPv4 addresses, coordinates. */
function isNumber(segment: string): boolean {
  return /^[+-]?\d+(\.\d+){0,3}$/.test(segment) && !words.has(segment);
}

/** One part of letters and digits: `b7`, `AB12CD`, `9s6XKz`; not `oauth2`, `page2`, `getOAuth2Token`. */
function isMixed(part: string): boolean {
  if (!/\d/.test(part) || words.has(part.toLowerCase()) || version.test(part)) return false;
  const digits = part.replace(/\D+/g, '').length;
  if (digits > 1) return true;
  const runs = part.split(/\d/).filter((run) => run !== '');
  return !(runs.length > 0 && runs.every((run) => run.length >= 3));
}

/** Titles of five words and more, four behind a plural: `how-to-write-good-code`. */
function isSlug(segment: string, previous: string): boolean {
  const joints = /^[a-z]+([-_][a-z]+)*$/i.test(segment) ? segment.split(/[-_]/).length - 1 : 0;
  return joints >= (isPlural(previous) ? 3 : 4);
}

/** Codes and names after a plural: `/currencies/USD`, `/domains/example.com`. */
function isListed(segment: string, previous: string): boolean {
  if (!isPlural(previous)) return false;
  return /^[A-Z]{2,20}$/.test(segment) || /^[\w-]+(\.[\w-]+)*\.[a-z]{2,}$/.test(segment);
}

function isPlural(word: string): boolean {
  return word.length >= 4 && /[^su]s$/i.test(word) && !/[{.]/.test(word);
}
