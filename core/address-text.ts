import { isIP } from 'node:net';

/**
 * Replaces every IP address in a text. Text that only resembles one (`1.2.3.4.5`, `std::io`) stays.
 * @param replace gets the address and the text after it, and returns the replacement
 */
export function replaceAddresses(
  text: string,
  replace: (address: string, behind: string) => string,
): string {
  // Most texts hold no address; this test rejects them fast.
  if (!/\d\.\d|:[^:]*:/.test(text)) return text;
  return text.replace(addressLike, (found, at: number) => {
    return isIP(found) === 0 ? found : replace(found, text.slice(at + found.length));
  });
}

/** IPv6, possibly with an IPv4 address at its end, or IPv4. */
const addressLike =
  /(?<![\w:.])(?=[\da-f.]*:[\da-f.]*:)[\da-f:]{2,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/gi;
