import { AppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';

const blank = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/;

/**
 * SQLite carries out some pragmas while it compiles them, and ATTACH counts as reading: the first word decides before
 * SQLite sees the text. A read-only connection refuses the rest.
 * @throws AppError `invalid` for anything but one question
 */
export function checkQuestion(text: string): void {
  if (Buffer.byteLength(text) > limits.sqlBytes) {
    throw new AppError('invalid', `a question has at most ${limits.sqlBytes} bytes`);
  }
  let rest = text.replace(blank, '');
  const explain = /^explain\b/i.exec(rest);
  if (explain !== null) {
    rest = rest.slice(explain[0].length).replace(blank, '');
    rest = rest
      .replace(/^query\b/i, '')
      .replace(blank, '')
      .replace(/^plan\b/i, '')
      .replace(blank, '');
  }
  if (/^(select|with|values)\b/i.test(rest)) return;
  const [word = ''] = /^\w*/.exec(rest) ?? [];
  throw new AppError(
    'invalid',
    `a question begins with SELECT, WITH, VALUES or EXPLAIN, this one with "${word.slice(0, 20)}"`,
  );
}
