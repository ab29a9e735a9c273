/**
 * Whether a text is what a pattern of the API's `route=` describes: `*` matches any run of characters, `?` one
 * character, every other character itself. Returns to the last star only, so that no pattern is slow.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let place = 0;
  /** Behind the last star, and where its run ends in the text. */
  let star = -1;
  let runEnd = 0;
  while (at < text.length) {
    const wanted = pattern[place];
    if (wanted === '*') {
      star = ++place;
      runEnd = at;
    } else if (wanted === '?' || wanted === text[at]) {
      place += 1;
      at += 1;
    } else if (star !== -1) {
      place = star;
      at = ++runEnd;
    } else {
      return false;
    }
  }
  while (pattern[place] === '*') place += 1;
  return place === pattern.length;
}
