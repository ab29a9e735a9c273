import { isIP } from 'node:net';

/**
 * The text with `replace` in place of every address in it. An address within an address's neighbours
 * (`1.2.3.4.5`, `std::io`) is none.
 * @param replace gets the address and the text behind it
 */
export function replaceAddresses(
  text: string,
  replace: (address: string, behind: string) => string,
): string {
  // Most texts hold no address, and that is seen soonest.
  if (!/\d\.\d|:[^:]*:/.test(text)) return text;
  return text.replace(addressLike, (found, at: number) => {
    return isIP(found) === 0 ? found : replace(found, text.slice(at + found.length));
  });
}

/** IPv6, perhaps with an address of IPv4 at its end, or IPv4. */
const addressLike =
  /(?<![\w:.])(?=[\da-f.]*:[\da-f.]*:)[\da-f:]{2,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/gi;
