/**
 * Text that others chose: routes, names, agents. React writes it as text, never as markup. Characters that
 * are invisible or turn the direction of what follows are shown by their number, so that two different
 * names never look alike.
 */
const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export function plainText(text: string): string {
  return text.replace(unseen, (character) => {
    const number = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return `‹U+${number}›`;
  });
}
