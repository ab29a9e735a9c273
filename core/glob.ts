/**
 * Glob patterns: of routes (`route=`, ROLLCALL_EXCLUDE_ROUTES) and of CORS origins.
 *
 * `*` matches any run of characters, also none and also slashes. `?` matches exactly one character. Every
 * other character matches itself; letter case counts. The pattern must match the whole text. A character is
 * a UTF-16 code unit.
 *
 * A matcher simulates an automaton with one state for each character of the pattern, 32 states in one
 * integer (Shift-And, Baeza-Yates and Gonnet 1992). It visits each character of the text once: no pattern
 * and no text makes it go back, so a match takes at most text length × ⌈(pattern length + 1) / 32⌉ steps.
 */
export type GlobMatcher = (text: string) => boolean;

export function globMatcher(pattern: string): GlobMatcher {
  const { words, accepting, loops, anyCharacter, byCharacter } = compile(pattern);
  const active = new Uint32Array(words);
  return (text) => {
    active.fill(0);
    active[0] = 1;
    for (let at = 0; at < text.length; at++) {
      const advances = byCharacter.get(text.charCodeAt(at)) ?? anyCharacter;
      let carry = 0;
      let isAlive = 0;
      for (let word = 0; word < words; word++) {
        const states = active[word]!;
        const moved = states & advances[word]!;
        const next = (moved << 1) | carry | (states & loops[word]!);
        carry = moved >>> 31;
        active[word] = next;
        isAlive |= next;
      }
      if (isAlive === 0) return false;
    }
    return (active[accepting >>> 5]! & (1 << (accepting & 31))) !== 0;
  };
}

/** State n: the first n characters of the pattern, not counting stars, have matched. One bit a state. */
interface Automaton {
  /** Integers of 32 states. */
  words: number;
  accepting: number;
  /** States followed by a star: any character leaves them active. */
  loops: Uint32Array;
  /** States followed by `?`. */
  anyCharacter: Uint32Array;
  /** By code unit: states that this character moves to the next state, those followed by `?` included. */
  byCharacter: Map<number, Uint32Array>;
}

function compile(pattern: string): Automaton {
  const single = pattern.replaceAll('*', '');
  const words = (single.length >>> 5) + 1;
  const loops = new Uint32Array(words);
  const anyCharacter = new Uint32Array(words);
  let state = 0;
  for (const character of pattern.split('')) {
    if (character === '*') add(loops, state);
    else add(anyCharacter, state++, character === '?');
  }
  const byCharacter = new Map<number, Uint32Array>();
  for (let n = 0; n < single.length; n++) {
    const code = single.charCodeAt(n);
    const states = byCharacter.get(code) ?? anyCharacter.slice();
    add(states, n);
    byCharacter.set(code, states);
  }
  return { words, accepting: single.length, loops, anyCharacter, byCharacter };
}

function add(states: Uint32Array, state: number, when = true): void {
  if (when) states[state >>> 5]! |= 1 << (state & 31);
}
