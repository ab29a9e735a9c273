import { BlockList, isIP } from 'node:net';
import { limits } from '../limits.ts';
import { roundedWeight } from '../weight.ts';
import { dayS, hourS, minuteS } from '../window.ts';

/**
 * One function per kind of configuration value: text in, value out. Each throws `InvalidValue`, whose
 * message says which values are allowed; core/config/config.ts puts the variable and its value before it.
 */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
}

/** @returns a port; 0 takes a free one */
export function port(text: string): number {
  // A Kubernetes service called rollcall-analyzer puts ROLLCALL_ANALYZER_PORT=tcp://10.… into every pod.
  if (text.startsWith('tcp://')) {
    throw new InvalidValue(
      'looks like a Kubernetes service link; set enableServiceLinks: false in the pod',
    );
  }
  return wholeNumber(0, 65_535, ' (0 takes a free port)')(text);
}

export function wholeNumber(least: number, most: number, hint = ''): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidValue(`must be a whole number from ${least} to ${most}${hint}`);
  };
}

const unitS: Record<string, number> = { s: 1, m: minuteS, h: hourS, d: dayS };

/** `90s`, `5m`, `36h` or `30d`. @returns seconds */
export function duration(leastS: number, mostS: number): (text: string) => number {
  return (text) => {
    const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const seconds = Number(digits) * (unitS[unit ?? ''] ?? Number.NaN);
    if (seconds >= leastS && seconds <= mostS) return seconds;
    const range = `from ${durationText(leastS)} to ${durationText(mostS)}`;
    throw new InvalidValue(`must be a duration such as 90s, 5m, 36h or 30d, ${range}`);
  };
}

/** The duration in its largest whole unit: 172800 is `2d`. */
export function durationText(seconds: number): string {
  if (seconds % dayS === 0) return `${seconds / dayS}d`;
  if (seconds % hourS === 0) return `${seconds / hourS}h`;
  return seconds % minuteS === 0 ? `${seconds / minuteS}m` : `${seconds}s`;
}

/** Only characters that any header carries unchanged: no space, and no `%`, which starts an encoding. */
export function adminKey(text: string): string {
  const { least, most } = limits.adminKeyChars;
  if (text.length >= least && text.length <= most && /^[\x21-\x24\x26-\x7e]+$/.test(text)) {
    return text;
  }
  throw new InvalidValue(
    `has ${text.length} characters; it must be ${least} to ${most} of ASCII's visible characters but %, best from a generator such as openssl rand -hex 32`,
  );
}

export function oneOf<T extends string>(...allowed: T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found !== undefined) return found;
    throw new InvalidValue(`must be ${allowed.length > 1 ? 'one of ' : ''}${allowed.join(', ')}`);
  };
}

/** Comma-separated; `none` is the empty list. Repeated items count once. */
export function list(item: (text: string) => string): (text: string) => string[] {
  return (text) => {
    if (text === 'none') return [];
    const items = text.split(',').map((part) => part.trim());
    if (items.length > limits.settingItems) {
      throw new InvalidValue(
        `has ${items.length} items; at most ${limits.settingItems} are allowed`,
      );
    }
    return [...new Set(items.map(item))];
  };
}

/** A name or an address to listen on. */
export function host(text: string): string {
  const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
  // Digits and dots that are not an address: a mistyped address, never a host name.
  if (isIP(text) !== 0 || (name.test(text) && !/^[\d.]+$/.test(text))) return text;
  throw new InvalidValue(
    'must be an IP address or a host name, without a port, such as 127.0.0.1 or 0.0.0.0',
  );
}

/** A name as a Host header has it, without a port. */
export function hostName(text: string): string {
  const name = text.toLowerCase();
  const shape =
    /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/;
  if (shape.test(name)) return name;
  throw new InvalidValue(
    `holds "${text}"; each item must be a host name without a port such as rollcall.example, or the whole is none`,
  );
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

export function isLoopback(hostText: string): boolean {
  if (/^localhost$/i.test(hostText)) return true;
  return loopback.check(hostText, isIP(hostText) === 6 ? 'ipv6' : 'ipv4');
}

/** `private`, a network in CIDR notation, or one address, which becomes the network of itself. */
export function network(text: string): string {
  if (text === 'private') return text;
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  const bitsMost = family === 4 ? 32 : 128;
  const bitsFit = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMost);
  // An address with a zone (`fe80::1%eth0`) never appears in a forwarding header.
  const isAddress = family !== 0 && !address.includes('%');
  if (isAddress && bitsFit && more.length === 0) {
    return `${address}/${bits ?? bitsMost}`;
  }
  throw new InvalidValue(
    `holds "${text}"; each item must be private, an address or a network such as 10.0.0.0/8, or the whole is none`,
  );
}

/** First segments of the analyzer's own paths: below one of these a prefix and a path could not be told apart. */
const ownSegments = ['api', 'assets', 'healthz', 'metrics', 'readyz'];

/** A path prefix without the slash at its end; '' for `/`. */
export function basePath(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (path === '') return path;
  if (!isPathPrefix(path)) {
    throw new InvalidValue(
      `must be / or a path such as /rollcall: segments of letters, digits and . _ ~ -, at most ${limits.pathPrefixCharacters} characters`,
    );
  }
  if (ownSegments.includes(path.split('/')[1]!)) {
    throw new InvalidValue(`begins like the analyzer's own paths: ${ownSegments.join(', ')}`);
  }
  return path;
}

/** The address of a trace in its own system, with `{trace_id}` in the place of the id. */
export function traceUrl(text: string): string {
  const place = '{trace_id}';
  const address = text.replaceAll(place, '0'.repeat(32));
  if (!text.includes(place)) {
    throw new InvalidValue(`must contain ${place}, such as https://jaeger.example/trace/${place}`);
  }
  const isAddress = /^https?:\/\/[^\s"'<>\\^`]+$/i.test(address);
  if (!isAddress || !URL.canParse(address) || text.length > limits.traceUrlCharacters) {
    throw new InvalidValue(
      `must be an http or https URL of at most ${limits.traceUrlCharacters} characters`,
    );
  }
  return text;
}

/** Characters that mean the same in a path, in HTML and in a header; no segment of dots. */
export function isPathPrefix(text: string): boolean {
  const isPath = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/.test(text);
  return isPath && text.length <= limits.pathPrefixCharacters;
}

export function method(text: string): string {
  const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
  if (token.test(text) && text.length <= limits.methodChars) return text.toUpperCase();
  throw new InvalidValue(
    `holds "${text}"; each item must be an HTTP method such as OPTIONS, or the whole is none`,
  );
}

/** A glob over canonical routes; `*` matches any run of characters. */
export function routeGlob(text: string): string {
  if (/^[/*(]\S*$/.test(text) && Buffer.byteLength(text) <= limits.routeBytes) return text;
  throw new InvalidValue(
    `holds "${text}"; each item must be a route glob of at most ${limits.routeBytes} bytes such as /health* or */metrics`,
  );
}

export function consumerGlob(text: string): string {
  if (Buffer.byteLength(text) <= limits.consumerBytes) return text;
  throw new InvalidValue(
    `holds "${text}"; each item must be a glob of at most ${limits.consumerBytes} bytes such as synthetic-*`,
  );
}

export function attributeName(text: string): string {
  if (/^\S+$/.test(text) && text.length <= limits.attributeNameChars) return text;
  throw new InvalidValue(
    `holds "${text}"; each item must be a span attribute's name such as enduser.id`,
  );
}

/** The path of a file; '' for none. The caller that opens it reports whether it can be read. */
export function file(text: string): string {
  if (!text.includes('\0') && !text.endsWith('/')) return text;
  throw new InvalidValue('must be the path of a file');
}

/** A glob over origins (core/glob.ts), in lower case. */
export function origin(text: string): string {
  const shape = /^(\*|[a-z][a-z0-9+.*-]*:\/\/(\[[\da-f:.]+\]|[a-z0-9._*-]+)(:(\d{1,5}|\*))?)$/;
  const lower = text.toLowerCase();
  if (text.length <= limits.originCharacters && shape.test(lower)) return lower;
  throw new InvalidValue(
    `holds "${text}"; each item must be an origin such as https://app.example.com or https://*.example.com, without a path, or the whole is none`,
  );
}

/**
 * Calls whose duration is no latency: `upgrades`, `streams`, those longer than a duration, or none.
 * @returns `longerThanNs` is infinite when no duration is given
 */
export function excludedLatency(text: string): {
  upgrades: boolean;
  streams: boolean;
  longerThanNs: number;
} {
  const items = list((item) => item)(text);
  let longerThanNs = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (item === 'upgrades' || item === 'streams') continue;
    try {
      longerThanNs = Math.min(longerThanNs, duration(1, dayS)(item) * 1e9);
    } catch {
      throw new InvalidValue(
        `holds "${item}"; each item must be upgrades, streams or a duration from 1s to 1d such as 5m, or the whole is none`,
      );
    }
  }
  return { upgrades: items.includes('upgrades'), streams: items.includes('streams'), longerThanNs };
}

/** `service=factor`, comma-separated. @returns sampling weights (core/weight.ts) by service */
export function samplingFactors(text: string): ReadonlyMap<string, number> {
  const factors = new Map<string, number>();
  for (const item of list((part) => part)(text)) {
    const [, service = '', digits] = /^(.+?)\s*=\s*(\d{1,9}(?:\.\d{1,9})?)$/.exec(item) ?? [];
    const factor = Number(digits);
    if (!(factor >= 1 && factor <= limits.callWeight)) {
      throw new InvalidValue(
        `holds "${item}"; each item must be a service, = and a number from 1 to ${limits.callWeight}, such as shop=10, or the whole is none`,
      );
    }
    if (factors.has(service)) throw new InvalidValue(`names the service "${service}" twice`);
    factors.set(service, roundedWeight(factor));
  }
  return factors;
}

/** `name=value,…`, the syntax of OTEL_EXPORTER_OTLP_HEADERS. */
export function responseHeaders(text: string): [string, string][] {
  return list((item) => item)(text).map((item) => {
    const [, name = '', encoded = ''] = /^([!#$%&'*+.^_`|~0-9a-z-]+)\s*=\s*(.*)$/i.exec(item) ?? [];
    const value = percentDecoded(encoded) ?? '';
    const lower = name.toLowerCase();
    const fits = name.length <= limits.headerNameChars && value.length <= limits.headerValueChars;
    if (name === '' || !fits || !/^[\x20-\x7e]+$/.test(value)) {
      throw new InvalidValue(
        `holds "${item}"; each item must be a header such as x-frame-options=DENY, or the whole is none`,
      );
    }
    if (ownHeaders.test(lower))
      throw new InvalidValue(`holds "${lower}", a header that Rollcall sets itself`);
    return [lower, value];
  });
}

/** Headers that Rollcall or Node sets: message framing, connection, and those exporters and browsers act on. */
const ownHeaders =
  /^(content-(type|length|encoding)|connection|keep-alive|transfer-encoding|upgrade|te|trailer|date|allow|vary|link|retry-after|www-authenticate|set-cookie|access-control-.*|proxy-.*|grpc-.*)$/;

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `url` is `clickhouse://user:password@host:port/database`; `clickhouses://` for TLS. */
export type StoreAddress =
  | { engine: 'sqlite'; path: string }
  | { engine: 'clickhouse'; url: string };

/** @returns the engine, and the path of a SQLite store's file or the address of a ClickHouse server */
export function store(text: string): StoreAddress {
  if (/^clickhouse/i.test(text)) return clickhouseStore(text);
  const path = text.startsWith('sqlite:') ? text.slice('sqlite:'.length) : '';
  if (path.startsWith(':memory:')) {
    throw new InvalidValue(
      'asks for a store in memory; collector and analyzer share a file: sqlite:path/to/file.db',
    );
  }
  // Written for another program or a shell: taken literally, each would name a file of that odd name.
  if (/^(file:|\/\/[^/]|~|\s)|\s$|[?#]mode=/i.test(path)) {
    throw new InvalidValue(
      'must be sqlite: and a plain path: no file: URI, host, parameters, ~ or spaces around it; such as sqlite:/var/lib/rollcall/rollcall.db',
    );
  }
  if (path === '' || path.endsWith('/') || path.includes('\0')) {
    throw new InvalidValue(
      'must be sqlite: and the path of a file, such as sqlite:data/rollcall.db',
    );
  }
  return { engine: 'sqlite', path };
}

function clickhouseStore(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isKnown = url?.protocol === 'clickhouse:' || url?.protocol === 'clickhouses:';
  const isWhole = isKnown && url.hostname !== '' && url.search === '' && url.hash === '';
  // Names that ClickHouse takes without quotes.
  if (!isWhole || !/^\/([A-Za-z_]\w{0,62})?$/.test(url.pathname || '/')) {
    throw new InvalidValue(
      'must be clickhouse:// (or clickhouses:// for TLS), user:password@ where needed, a host, the port of its HTTP interface and the name of a database, such as clickhouse://default@127.0.0.1:8123/rollcall',
    );
  }
  return { engine: 'clickhouse', url: text };
}
