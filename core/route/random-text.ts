/**
 * Recognises random text: tokens, hashes, keys. Used for path segments without a reported route. A missed token
 * is better than a word taken for one, so every test here is strict.
 */

const uuid = /^\{?[\da-f]{8}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12}\}?$/i;

export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** Hexadecimal of 8 and more, mixed case of 8 and more that is no camelCase, and longer tokens. */
export function isRandom(text: string): boolean {
  const hex = /^(0x)?[\da-f]{8,}$/i.test(text);
  if (hex && (/\d/.test(text) || text.length >= 16)) return true;
  if (isCaseNoise(text)) return true;
  if (text.length < 16) return isShortToken(text);
  // getUserOrdersByCustomerId has runs of about four characters and few short ones, base62 of two.
  if (!/^[a-z]+([-_.][a-z]+)+$/i.test(text)) {
    const runs = text.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
    const short = runs.filter((run) => run.length <= 2).length;
    if (runs.length * 2.6 > text.length || (short >= 3 && short * 3 >= runs.length)) return true;
  }
  const digits = text.replace(/\D+/g, '').length;
  if (digits >= 4 && digits * 8 > text.length && /^[^-_.]+$/.test(text)) return true;
  const letters = text.replace(/[^A-Za-z]+/g, '');
  const vowels = letters.replace(/[^aeiouy]+/gi, '').length;
  return letters.length >= 12 && vowels * 7 < letters.length;
}

/** `VzSvUC2uMen`: many short runs of small letters, capitals and digits. */
function isShortToken(text: string): boolean {
  if (text.length < 11 || !/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)\w+$/.test(text)) return false;
  return (text.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? []).length * 2.2 >= text.length;
}

/** `gdcLqgkWup3`, not `exportPdf`: the parts of camelCase are pronounceable or known acronyms. */
function isCaseNoise(text: string): boolean {
  if (text.length < 8 || !/^[\w-]+$/.test(text) || !/[a-z].*[A-Z]|[A-Z][A-Z].*[a-z]/.test(text)) {
    return false;
  }
  const parts = text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return parts.some((part) => {
    if (part.length < 3 || acronyms.has(part.toLowerCase())) return false;
    if (/^[A-Z]+$/.test(part)) return part.length >= 5 && !/[AEIOUY]/.test(part);
    return !/[aeiouy]/i.test(part) || /[bcdfghjklmnpqrstvwxz]{5}/i.test(part);
  });
}

/** Acronyms that APIs use: `PDF`, `api`. */
export function isAcronym(text: string): boolean {
  return acronyms.has(text.toLowerCase());
}

const acronyms = new Set(
  `pdf xml html xhtml css http https sql mysql ftp sftp png jpg svg gif tcp udp rtf csv tsv xls xlsx npm ssh tls
   ssl dns rss php jpg jwt jwk jwks jws mfa sms mms crm cms vpn vpc rpc grpc xsd xslt gql gcp kms ddl dml ldap
   btc gtm pwd msg img btn cfg src tmp cmd ctx dst str ptr num qty gps mqtt wss bbs tsdb hls
   api faq ui id db ok me iot ai ml kpi sla seo erp hr pos cad gis gtfs dsl sdk cli cdn tv pr ci cd qr io id os ip`
    .trim()
    .split(/\s+/),
);
