/**
 * Controls, format characters such as those that change the direction of text, and line separators: a terminal acts
 * on them, and a text that a sender wrote could hide or rewrite a line.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The text for a terminal: unprintable characters become the escapes of JSON, `\u001b`.
 * @param kept characters that stay, such as line breaks
 */
export function printable(text: string, kept = ''): string {
  return text.replace(unprintable, (character) => {
    if (kept.includes(character)) return character;
    return character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
  });
}
