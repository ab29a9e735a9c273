import type { Head } from '../query/answer-head.ts';
import { escapeMarkdown } from '../query/formats.ts';
import type { EndpointRow } from '../reports/endpoint-row.ts';

/** From this confidence on an endpoint can go at once; below it, its last callers are asked first. */
const safeConfidence = 0.9;

const steps = [
  { title: 'Safe to remove now', takes: isSafe, detail: silence },
  { title: 'Decide again', takes: isReturned, detail: returned },
  { title: 'Keep: not dead in another environment', takes: isUsedElsewhere, detail: elsewhere },
  { title: 'Deprecate first, and talk to the last callers', takes: isQuiet, detail: toAsk },
  { title: 'Watch', takes: () => true, detail: toWatch },
] as const;

/** The dead list as work to do: by owner and service, what to do with each endpoint. */
export function removalPlan(body: object, prose: string): string {
  const { endpoints } = body as Head & { endpoints: EndpointRow[] };
  const lines = ['# Removal plan', '', prose, ''];
  const byOwner = Map.groupBy(endpoints, ({ owner }) => owner ?? '');
  const owners = [...byOwner.keys()].sort((a, b) =>
    a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1,
  );
  if (endpoints.length === 0) lines.push('Nothing is left to do.', '');
  for (const owner of owners) {
    lines.push(`## ${owner === '' ? 'Without an owner' : escapeMarkdown(owner)}`, '');
    const byService = Map.groupBy(byOwner.get(owner)!, placeOf);
    for (const [place, rows] of byService) {
      lines.push(`### ${escapeMarkdown(place)}`, '', ...ofService(rows));
    }
  }
  return lines.join('\n');
}

const placeOf = ({ service, environment }: EndpointRow): string =>
  environment === '' ? service : `${service}, ${environment}`;

function ofService(rows: readonly EndpointRow[]): string[] {
  const lines: string[] = [];
  const byStep = Map.groupBy(rows, (row) => steps.find(({ takes }) => takes(row))!);
  for (const step of steps) {
    const taken = byStep.get(step);
    if (taken === undefined) continue;
    lines.push(`**${step.title}** (${taken.length})`, '');
    for (const row of taken) {
      const name = escapeMarkdown(`${row.method} ${row.route}`);
      lines.push(`- ${name}: ${escapeMarkdown(step.detail(row))}`);
    }
    lines.push('');
  }
  return lines;
}

const isSilent = ({ status }: EndpointRow): boolean =>
  status === 'dead' || status === 'never_called';

/** One code serves every environment of a service. */
function isUsedElsewhere(row: EndpointRow): boolean {
  const { service_status: status } = row;
  if (!isSilent(row) || !status) return false;
  return status !== 'dead' && status !== 'never_called' && status !== 'removed';
}

function isSafe(row: EndpointRow): boolean {
  if (isUsedElsewhere(row)) return false;
  return isSilent(row) && row.decision_returned === null && (row.confidence ?? 0) >= safeConfidence;
}

function isReturned(row: EndpointRow): boolean {
  return row.decision_returned !== null;
}

/** Not announced yet: nobody had a reason to leave it. */
function isQuiet(row: EndpointRow): boolean {
  return isSilent(row) && !row.marks.includes('deprecated');
}

function silence(row: EndpointRow): string {
  const sure = row.confidence === null ? '' : `, confidence ${row.confidence.toFixed(2)}`;
  return `${lastUse(row)}${sure}${callers(row, '; last callers ')}`;
}

function elsewhere(row: EndpointRow): string {
  return `${row.service_status} over all environments of its service; here ${silence(row)}`;
}

function toAsk(row: EndpointRow): string {
  return `${silence(row)}${row.status === 'never_called' ? '' : whyUnsure(row)}`;
}

function returned(row: EndpointRow): string {
  const why = {
    until_passed: `its date, ${day(row.decision_until)}, has come`,
    new_consumer: 'a consumer calls it that had not',
    called: 'it was answered again',
  };
  const reason = row.decision_reason ? ` ("${row.decision_reason}")` : '';
  const by = row.decision_by ? ` by ${row.decision_by}` : '';
  return `${row.decision}${by}${reason}: ${why[row.decision_returned!]}${callers(row, '; last callers ')}`;
}

function toWatch(row: EndpointRow): string {
  const until = row.expected_at ?? row.sunset_at;
  const date =
    until === null
      ? `until its confidence reaches ${safeConfidence}`
      : `until ${day(until)}, ${row.expected_at === null ? 'its sunset' : 'when its next call is expected'}`;
  return `${date}; ${silence(row)}`;
}

function whyUnsure({ reasons }: EndpointRow): string {
  const [first] = reasons;
  return first === undefined ? '' : `; ${first.message}`;
}

function lastUse({ last_called_at: last, observed_days: days }: EndpointRow): string {
  return last === null ? `never called in ${days} observed days` : `last called ${day(last)}`;
}

function callers({ last_callers: all }: EndpointRow, before: string): string {
  const names = new Set(all.map(({ consumer, client, agent }) => consumer ?? agent ?? client));
  names.delete(null);
  return names.size === 0 ? '' : `${before}${[...names].join(', ')}`;
}

const day = (time: string | null): string => (time ?? '').slice(0, 10);
