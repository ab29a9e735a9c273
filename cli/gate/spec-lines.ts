/** Lines of a specification's text, where annotations of a review belong. */
export class SpecLines {
  readonly #lines: readonly string[];
  /** Line numbers from 0 by the text that the line begins with, up to its colon, or by the whole line. */
  readonly #byKey = new Map<string, number[]>();

  constructor(text: string) {
    this.#lines = text.split('\n');
    this.#lines.forEach((line, at) => {
      const key = keyOf(line);
      const places = this.#byKey.get(key);
      if (places) places.push(at);
      else this.#byKey.set(key, [at]);
    });
  }

  /** From 1; 1 where the text does not show it, as in JSON of one line. */
  of(method: string, route: string): number {
    const listed = this.#byKey.get(nameless(`${method} ${route}`))?.[0];
    if (listed !== undefined) return listed + 1;
    const path = this.#byKey.get(nameless(route))?.[0];
    if (path === undefined) return 1;
    const depth = indentOf(this.#lines[path]!);
    const operation = this.#byKey.get(method.toLowerCase())?.find((at) => at > path);
    if (operation === undefined) return path + 1;
    for (let at = path + 1; at < operation; at += 1) {
      const line = this.#lines[at]!;
      // The path item has ended: the operation is another path's.
      if (line.trim() !== '' && indentOf(line) <= depth) return path + 1;
    }
    return operation + 1;
  }
}

function keyOf(line: string): string {
  const [, quoted, plain] = /^\s*(?:["']([^"']+)["']|([^\s#:"'][^:]*?))\s*:/.exec(line) ?? [];
  const text =
    quoted ??
    plain ??
    line
      .trim()
      .replace(/\s+/g, ' ')
      .replace(/ deprecated$/, '');
  return text.includes('/') ? nameless(text) : text;
}

/** A route without the names of its parameters: two documents may name them differently. */
const nameless = (text: string): string => text.replace(/\{[^{}]*\}|(?<=\/):\w+/g, '{}');

const indentOf = (line: string): number => line.length - line.trimStart().length;
