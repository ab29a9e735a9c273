import { isIP } from 'node:net';

/**
 * Replaces every IP address in a text, also one that stands behind or before a letter, a digit, `_` or `:`
 * (`ip:2001:db8::1`, `client_2001:db8::1`). Text that only resembles one (`1.2.3.4.5`, `std::io`, `Sha256::Error`)
 * stays.
 * @param replace gets the address and the text after it, and returns the replacement
 */
export function replaceAddresses(
  text: string,
  replace: (address: string, behind: string) => string,
): string {
  // Most texts hold no address; this test rejects them fast.
  if (!/\d\.\d|:[^:]*:/.test(text)) return text;
  let out = '';
  let done = 0;
  const ipv4 = (end: number) => {
    const from = done;
    out += text.slice(from, end).replace(ipv4Like, (found, at: number) => {
      return isIP(found) === 0 ? found : replace(found, text.slice(from + at + found.length));
    });
  };
  for (let start = 0; start < text.length; ) {
    const end = ipv6End(text, start);
    if (end < 0 || !isAddress(text, start, end)) {
      start += 1;
      continue;
    }
    ipv4(start);
    out += replace(text.slice(start, end), text.slice(end));
    done = end;
    start = end;
  }
  ipv4(text.length);
  return out;
}

const ipv4Like = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/g;
const ipv4Here = /\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/y;

/** Where the longest IPv6 address that begins at `start` ends; -1 without one. Reads at most 45 characters. */
function ipv6End(text: string, start: number): number {
  let at = start;
  let groups = 0;
  let compressed = false;
  let best = -1;
  if (text[at] === ':') {
    if (text[at + 1] !== ':') return -1;
    compressed = true;
    at += 2;
    best = at;
  }
  for (;;) {
    let digits = 0;
    while (digits < 4 && isHex(text.charCodeAt(at + digits))) digits += 1;
    if (digits === 0) return best;
    if (text[at + digits] === '.' && (compressed ? groups <= 5 : groups === 6)) {
      ipv4Here.lastIndex = at;
      const [tail] = ipv4Here.exec(text) ?? [];
      if (tail !== undefined && isIP(tail) === 4) return at + tail.length;
    }
    groups += 1;
    at += digits;
    if (compressed ? groups <= 7 : groups === 8) best = at;
    if (groups === (compressed ? 7 : 8) || text[at] !== ':') return best;
    if (text[at + 1] === ':') {
      if (compressed) return best;
      compressed = true;
      at += 2;
      best = at;
    } else at += 1;
  }
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
}

/** Whether what has an address's form is one. By itself it is; within a word it must not be part of a name. */
function isAddress(text: string, start: number, end: number): boolean {
  const isAlone =
    !/[\w:.]$/.test(text.slice(Math.max(0, start - 1), start)) &&
    !/^(?:[\w:]|\.\d)/.test(text.slice(end, end + 2));
  if (isAlone) return true;
  const found = text.slice(start, end);
  if (found.includes('.')) return true;
  const groups = found.split(':').filter((group) => group !== '');
  // Names of programs (`Foo::Bar`) have no single colons.
  if (groups.length >= 3) return groups.some((group) => /\d/.test(group));
  const [first = '', second = ''] = groups;
  return (
    /^(?=.*\d)[\da-f]{3,4}$/i.test(first) && /\d/.test(second) && !/^[g-z]/i.test(text[end] ?? '')
  );
}
