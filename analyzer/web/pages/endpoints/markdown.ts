import type { ReportRow } from '../../api/answers.ts';
import { statusWord } from '../../parts/status.tsx';
import { duration, exact, percent } from '../../state/format.ts';
import { plainText } from '../../state/text.ts';

/** Rows on a page's clipboard: more would fit no issue or message. */
const rowsMost = 200;

/** The endpoints as a table in GitHub's Markdown. */
export function markdownOf(rows: readonly ReportRow[]): string {
  const shown = rows.slice(0, rowsMost);
  const lines = shown.map((row) =>
    line([
      `\`${row.method} ${plainText(row.route).replaceAll('`', "'")}\``,
      row.service,
      statusWord(row.status),
      exact(row.total_calls),
      percent(row.error_rate_pct),
      duration(row.p95_duration_ms),
      row.last_called_at ?? 'never',
    ]),
  );
  const head = ['endpoint', 'service', 'status', 'calls', 'errors', 'p95', 'last call'];
  const more = rows.length > shown.length ? [`\n${rows.length - shown.length} more.`] : [];
  return [line(head), '|---|---|---|--:|--:|--:|---|', ...lines, ...more, ''].join('\n');
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => plainText(cell).replace(/[\\|]/g, '\\$&')).join(' | ')} |`;
