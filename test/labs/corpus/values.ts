import { createHash } from 'node:crypto';

/** A value of a kind named in test/labs/corpus/apis.ts, as such values look. @param random 0 to 1. */
export function value(kind: string, random: () => number): string {
  const make = kinds[kind];
  if (make === undefined) throw new Error(`no kind of value is named ${kind}`);
  return make(random);
}

type Random = () => number;

const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const upper = lower.toUpperCase();
const base62 = digits + upper + lower;
const hex = '0123456789abcdef';

function int(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[int(random, 0, list.length - 1)]!;
}

function chars(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[int(random, 0, alphabet.length - 1)]).join('');
}

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0');
}

const names =
  `jane omar li maria sven aiko peter nadia tom ruth igor chloe hassan emma diego yuki fatima lars priya kwame
  ines mateo zofia ahmed olga ravi mei pablo greta tariq`
    .trim()
    .split(/\s+/);
const surnames =
  `doe smith tanaka garcia berg novak okafor rossi silva kim weber dubois haddad lindqvist mensah petrov sharma
  moreau costa yamada`
    .trim()
    .split(/\s+/);
const nouns =
  `river garden engine coffee mountain window market planet bridge forest camera letter harbor lantern piano
  ticket rocket kitchen anchor meadow compass violin blanket island`
    .trim()
    .split(/\s+/);
const adjectives =
  `red quick silent modern tiny wild open golden hidden smart early cold brave gentle lazy bright purple fuzzy
  clever ancient`
    .trim()
    .split(/\s+/);

function words(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, at) => pick(random, at % 2 ? nouns : adjectives));
}

function date(random: Random): string {
  return `${int(random, 2015, 2026)}-${pad(int(random, 1, 12), 2)}-${pad(int(random, 1, 28), 2)}`;
}

function uuid(random: Random): string {
  const text = chars(random, hex, 32);
  return [8, 12, 16, 20].reduceRight((made, at) => `${made.slice(0, at)}-${made.slice(at)}`, text);
}

const kinds: Record<string, (random: Random) => string> = {
  number: (random) => String(int(random, 1, 10 ** int(random, 1, 7))),
  small: (random) => String(int(random, 0, 30)),
  snowflake: (random) => `${int(random, 1, 9)}${chars(random, digits, 17)}`,
  year: (random) => String(int(random, 2005, 2026)),
  month: (random) => pad(int(random, 1, 12), 2),
  date,
  datetime: (random) => `${date(random)}T${pad(int(random, 0, 23), 2)}:00:00Z`,
  yearmonth: (random) => date(random).slice(0, 7),
  uuid,
  ulid: (random) => `01${chars(random, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)}`,
  mongo: (random) => chars(random, hex, 24),
  hex24: (random) => chars(random, hex, 24),
  hex32: (random) => chars(random, hex, 32),
  hex64: (random) => chars(random, hex, 64),
  sha: (random) => chars(random, hex, 40),
  digest: (random) => `sha256:${chars(random, hex, 64)}`,
  base36: (random) => `1${chars(random, digits + lower, 5)}`,
  base62: (random) => chars(random, base62, 24),
  base62x8: (random) => chars(random, base62, 8),
  base62x11: (random) => chars(random, base62, 11),
  base62x20: (random) => chars(random, `${base62}-_`, 20),
  base62x22: (random) => chars(random, base62, 22),
  base62x32: (random) => chars(random, base62, 32),
  token: (random) => `${pick(random, ['file', 'run', 'job', 'tok'])}-${chars(random, base62, 24)}`,
  prefixed: (random) => `${pick(random, ['cus', 'ch', 'pi', 'in'])}_${chars(random, base62, 16)}`,
  upperid: (random) => `T${chars(random, upper + digits, 9)}`,
  sid: (random) => `${pick(random, ['AC', 'SM', 'CA'])}${chars(random, hex, 32)}`,
  sfid: (random) => `0015g${chars(random, base62, 13)}`,
  authid: (random) => `auth0%7C${chars(random, hex, 24)}`,
  jwt: (random) => [36, 120, 43].map((length) => chars(random, base62, length)).join('.'),
  ticket: (random) => `${pick(random, ['WEB', 'OPS', 'SHOP'])}-${int(random, 1, 9999)}`,
  sku: (random) =>
    `${chars(random, upper, 3)}-${chars(random, digits, 4)}-${pick(random, ['S', 'XL'])}`,
  coupon: (random) => `${pick(random, ['SAVE', 'SUMMER'])}${int(random, 10, 90)}`,
  paymentref: (random) => `PAY-${chars(random, digits, 10)}-${chars(random, upper, 2)}`,
  iban: (random) => `DE${chars(random, digits, 20)}`,
  vin: (random) => chars(random, 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789', 17),
  mac: (random) => Array.from({ length: 6 }, () => chars(random, hex, 2)).join(':'),
  ip: (random) => Array.from({ length: 4 }, () => int(random, 1, 254)).join('.'),
  phone: (random) => `+49${chars(random, digits, 10)}`,
  coordinates: (random) => `${(random() * 90).toFixed(4)},${(random() * 180 - 90).toFixed(4)}`,
  email: (random) => `${pick(random, names)}.${pick(random, surnames)}@example.com`,
  login: (random) => {
    const name = pick(random, names);
    const forms = [`${name}${int(random, 1, 99)}`, name, `${name}-${pick(random, surnames)}`];
    return pick(random, forms);
  },
  handle: (random) => `@${pick(random, names)}${pick(random, nouns)}`,
  project: (random) => words(random, int(random, 1, 2)).join('-'),
  namespace: (random) => words(random, int(random, 1, 2)).join('-'),
  index: (random) => `logs-${date(random).replaceAll('-', '.')}`,
  host: (random) => `ip-10-0-${int(random, 1, 254)}-${int(random, 1, 254)}.internal`,
  pod: (random) =>
    `${pick(random, nouns)}-${chars(random, hex, 9)}-${chars(random, 'bcdfghjklmnpqrstvwxz2456789', 5)}`,
  model: (random) => pick(random, ['gpt-4o-mini', 'gpt-3.5-turbo', 'whisper-1', 'davinci-002']),
  version: (random) => `${int(random, 0, 9)}.${int(random, 0, 30)}.${int(random, 0, 9)}`,
  slug: (random) => {
    const made = words(random, int(random, 2, 6)).join('-');
    return random() < 0.4 ? `${made}-${int(random, 1, 2026)}` : made;
  },
  titled: (random) => `${chars(random, '123456789', 12)}-${words(random, 3).join('-')}`,
  title: (random) => words(random, 2).join(random() < 0.5 ? '_' : '%20'),
  phrase: (random) => words(random, 2).join('%20'),
  word: (random) => pick(random, nouns),
  currency: (random) => pick(random, ['USD', 'EUR', 'JPY', 'GBP', 'CHF', 'SEK']),
  country: (random) => pick(random, ['DE', 'US', 'JP', 'FR', 'BR', 'IN']),
  language: (random) => pick(random, ['en', 'de', 'pt-BR', 'ja', 'fr']),
  locale: (random) => pick(random, ['en-us', 'de-de', 'pt-br', 'ja-jp']),
  image: (random) =>
    `${pick(random, nouns)}-${int(random, 1, 999)}.${pick(random, ['jpg', 'png', 'webp'])}`,
  filename: (random) =>
    `${words(random, 2).join('_')}.${pick(random, ['pdf', 'xlsx', 'zip', 'docx'])}`,
  bundle: (random) => {
    const hash = createHash('sha256').update(String(random())).digest('hex').slice(0, 8);
    return `${pick(random, ['main', 'vendor', 'chunk'])}.${hash}.${pick(random, ['js', 'css'])}`;
  },
  chunk: (random) => `segment${pad(int(random, 0, 9999), 5)}.ts`,
  branch: (random) =>
    pick(random, ['main', 'develop', `release-${int(random, 1, 30)}.${int(random, 0, 9)}`]),
  braceduuid: (random) => `%7B${uuid(random)}%7D`,
  base64x33: (random) => `1${chars(random, `${base62}-_`, 32)}`,
  base64x19: (random) => `0A${chars(random, `${base62}-_`, 17)}`,
  number20: (random) => `${int(random, 1, 9)}${chars(random, digits, 19)}`,
  number11: (random) => `${int(random, 1, 9)}${chars(random, digits, 10)}`,
  number9: (random) => `${int(random, 1, 9)}${chars(random, digits, 8)}`,
  base32x26: (random) => chars(random, '0123456789abcdefghjkmnpqrstvwxyz', 26),
  base32x13: (random) => chars(random, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 13),
  base36x17: (random) => chars(random, digits + upper, 17),
  base62x24: (random) => chars(random, base62, 24),
  aclrule: (random) => `user:${pick(random, names)}@example.com`,
  hex2: (random) => chars(random, hex, 2),
  hex10: (random) => chars(random, hex, 10),
  hex16: (random) => chars(random, hex, 16),
  hex60: (random) => chars(random, hex, 60),
  token64: (random) => `AAMk${chars(random, `${base62}-_`, 60)}`,
  subscription: (random) => `I-${chars(random, digits + upper, 12)}`,
  snake: (random) => words(random, 2).join('_'),
  pdid: (random) => `P${chars(random, digits + upper, 6)}`,
  dashboard: (random) => [3, 3, 3].map((length) => chars(random, digits + lower, length)).join('-'),
  metric: (random) =>
    `${pick(random, nouns)}.${pick(random, ['cpu', 'net', 'disk'])}.${pick(random, nouns)}`,
  package: (random) =>
    pick(random, [
      pick(random, nouns),
      `${pick(random, nouns)}-${pick(random, ['js', 'core', 'cli'])}`,
      words(random, 2).join('-'),
      `${pick(random, nouns)}${int(random, 2, 5)}`,
    ]),
  tarball: (random) =>
    `${pick(random, nouns)}-${int(random, 0, 9)}.${int(random, 0, 30)}.${int(random, 0, 9)}.tgz`,
  wheel: (random) =>
    `${pick(random, nouns)}-${int(random, 0, 9)}.${int(random, 0, 30)}-py3-none-any.whl`,
  category: (random) =>
    pick(random, [
      'animation',
      'science',
      'web-programming',
      'games',
      'music',
      'general',
      'support',
    ]),
  icon: (random) => `${pad(int(random, 1, 50), 2)}${pick(random, ['d', 'n'])}@2x.png`,
  pair: (random) =>
    `${pick(random, ['BTC', 'ETH', 'SOL', 'ADA'])}-${pick(random, ['USD', 'EUR', 'GBP'])}`,
  nano12: (random) => chars(random, digits + lower, 12),
  nano22: (random) => chars(random, base62, 22),
  handleless: (random) => `${pick(random, names)}${pick(random, nouns)}`,
  environment: (random) => pick(random, ['master', 'staging', 'production']),
  oktaid: (random) => `00${pick(random, ['u', 'g'])}${chars(random, base62, 17)}`,
  domain: (random) => `${pick(random, nouns)}${pick(random, ['.com', '.io', '.co.uk', '.dev'])}`,
  fingerprint: (random) => Array.from({ length: 16 }, () => chars(random, hex, 2)).join(':'),
  herokuapp: (random) => `${words(random, 2).join('-')}-${int(random, 10_000, 99_999)}`,
  dyno: (random) => `${pick(random, ['web', 'worker'])}.${int(random, 1, 9)}`,
  vercelid: (random) => `${pick(random, ['dpl', 'prj', 'team'])}_${chars(random, base62, 24)}`,
  slugged: (random) => words(random, 2).join('-'),
  airbase: (random) => `app${chars(random, base62, 14)}`,
  airtable: (random) =>
    pick(random, [`tbl${chars(random, base62, 14)}`, words(random, 2).join('%20')]),
  airrec: (random) => `rec${chars(random, base62, 14)}`,
  airhook: (random) => `ach${chars(random, base62, 14)}`,
  matrixroom: (random) => `!${chars(random, base62, 18)}:example.org`,
  matrixuser: (random) => `@${pick(random, names)}:example.org`,
  txn: (random) => `m${int(random, 1_600_000_000_000, 1_800_000_000_000)}.${int(random, 0, 99)}`,
  identifier: (random) => `${words(random, 2).join('_')}_${int(random, 1950, 2020)}`,
  stamp14: (random) => `${date(random).replaceAll('-', '')}${chars(random, '012345', 6)}`,
  stamp10: (random) => `${date(random).replaceAll('-', '').slice(2)}${pad(int(random, 0, 23), 2)}`,
  ndc: (random) =>
    `${int(random, 1000, 99_999)}-${int(random, 100, 999)}-${pad(int(random, 1, 99), 2)}`,
  countryname: (random) =>
    pick(random, ['germany', 'brazil', 'japan', 'new%20zealand', 'south%20korea', 'chad']),
  doi: (random) => `10.${int(random, 1000, 9999)}%2F${chars(random, digits + lower, 9)}`,
  isbn: (random) => `978${chars(random, digits, 10)}`,
  isbnimage: (random) => `978${chars(random, digits, 10)}-${pick(random, ['S', 'M', 'L'])}.jpg`,
  olid: (random) => `OL${int(random, 1, 9_999_999)}${pick(random, ['A', 'W', 'M'])}`,
  stopid: (random) => `de:${chars(random, digits, 5)}:${int(random, 1, 9999)}`,
  tripid: (random) =>
    `${int(random, 1, 3)}|${int(random, 1000, 999_999)}|${int(random, 0, 9)}|${int(random, 0, 99)}`,
  lineid: (random) => pick(random, ['U1', 'S41', 'M10', 'RE7', '142', 'N8']),
  iata: (random) => chars(random, upper, 3),
  flight: (random) => `${chars(random, upper, 2)}${int(random, 1, 9999)}`,
  uic: (random) => `80${chars(random, digits, 5)}`,
  plate: (random) => `B-${chars(random, upper, 2)}-${int(random, 1, 9999)}`,
  postcode: (random) =>
    pick(random, [chars(random, digits, 5), `SW${int(random, 1, 20)}A%20${int(random, 1, 9)}AA`]),
};
