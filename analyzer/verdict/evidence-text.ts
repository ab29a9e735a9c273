import { escapeMarkdown } from '../query/formats.ts';
import type { Evidence } from './evidence-facts.ts';

/** An evidence as Markdown for a pull request. The same evidence gives the same text. */
export function evidenceText(evidence: Evidence): string {
  const { endpoint, verdict, as_of: asOf, digest, link } = evidence;
  const name = code(`${endpoint.method} ${endpoint.route}`);
  const where = endpoint.environment === '' ? '' : ` (${escapeMarkdown(endpoint.environment)})`;
  const sure = verdict.confidence === null ? '' : `, confidence ${verdict.confidence}`;
  const lines = [
    `### ${name} of ${escapeMarkdown(endpoint.service)}${where}: ${statusText(verdict.status)}${sure}`,
    '',
    ...verdict.reasons.map(({ message }) => `- ${escapeMarkdown(message)}`),
    `- ${lifetimeText(evidence)}`,
    `- ${callersText(evidence)}`,
    ...versionsText(evidence),
    ...siblingsText(evidence),
    `- ${observationText(evidence)}`,
    ...environmentsText(evidence),
    ...inventoryText(evidence),
    ...endingText(evidence),
    ...codeText(evidence),
    ...ownersText(evidence),
    ...(verdict.marks.length > 0
      ? [`- Marks: ${verdict.marks.map(escapeMarkdown).join(', ')}.`]
      : []),
    '',
    `As of ${asOf}, Rollcall, digest ${code(digest)}, ${code(`/api/v1${link}`)}`,
  ];
  return `${lines.join('\n')}\n`;
}

const code = (text: string): string => `\`${text.replace(/[`\r\n]/g, "'")}\``;
const date = (moment: string): string => moment.slice(0, 10);
const number = (value: number): string => value.toLocaleString('en-US');
const plural = (value: number, noun: string): string =>
  `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
const statusText = (status: string | null): string => (status ?? 'no endpoint').replace('_', ' ');

function lifetimeText({ lifetime }: Evidence): string {
  const { calls, answered, refused, missing, failed, bot_calls: bots, estimated } = lifetime;
  if (calls === 0) return 'No call ever.';
  const about = estimated ? 'about ' : '';
  const robots = bots > 0 ? `, ${number(bots)} of them by robots` : '';
  const span = `from ${date(lifetime.first_called_at!)} to ${date(lifetime.last_called_at!)}`;
  return `Lifetime: ${about}${plural(calls, 'call')} ${span}${robots}: ${number(answered)} answered, ${number(refused)} refused (401, 403, 429), ${number(missing)} missing (404, 405, 410), ${number(failed)} failed.`;
}

function callersText({ last_answered_callers: callers }: Evidence): string {
  if (callers.length === 0) return 'No answered caller is recorded.';
  const shown = callers.map(({ client, consumer, agent, called_at: at }) => {
    const [name = 'unknown', ...more] = [consumer, client, agent].filter((text) => text !== null);
    const detail = more.length === 0 ? '' : ` (${more.join(', ')})`;
    return escapeMarkdown(`${name}${detail} ${date(at)}`);
  });
  return `Last answered callers: ${shown.join('; ')}.`;
}

function versionsText({ versions }: Evidence): string[] {
  const named = versions.filter(({ version }) => version !== '');
  if (named.length === 0) return [];
  const shown = named
    .slice(0, 3)
    .map(({ version, calls, last_called_at: at }) =>
      escapeMarkdown(`${version} (${plural(calls, 'call')}, last ${date(at)})`),
    );
  return [`- Versions of the service that took its calls, latest first: ${shown.join('; ')}.`];
}

function siblingsText({ siblings }: Evidence): string[] {
  if (siblings === null) return [];
  const { calls, endpoints, since } = siblings;
  return [
    `- Meanwhile, since ${date(since)}: ${plural(calls, 'call')} to ${plural(endpoints, 'other endpoint')} of the service.`,
  ];
}

function observationText({ observation }: Evidence): string {
  const { since, days, gaps, gap_count: count } = observation;
  if (since === null) return 'The service was never observed.';
  const latest = gaps
    .slice(-3)
    .map(({ from, to, hours }) => `${date(from)} to ${date(to)} (${hours} h)`);
  const shown = count === 0 ? 'no gap' : `${plural(count, 'gap')}, latest: ${latest.join(', ')}`;
  return `The service was observed on ${plural(days, 'day')} since ${date(since)}, with ${shown}.`;
}

function environmentsText({ environments, endpoint, all_environments: all }: Evidence): string[] {
  const others = environments.filter(({ environment }) => environment !== endpoint.environment);
  if (others.length === 0) return [];
  const shown = others.map(({ environment, status, confidence }) => {
    const sure = confidence === null ? '' : ` (${confidence})`;
    return `${escapeMarkdown(environment || 'unnamed')}: ${statusText(status)}${sure}`;
  });
  return [
    `- In other environments: ${shown.join('; ')}. Over all of them: ${statusText(all.status)}.`,
  ];
}

function endingText({ ending }: Evidence): string[] {
  if (ending === null) return [];
  const { deprecated, deprecated_since: since, sunset_at: sunset, announced, link } = ending;
  const parts = [
    deprecated ? `Deprecated${since === null ? '' : ` since ${date(since)}`}` : 'Not deprecated',
    ...(sunset === null ? [] : [`sunset ${escapeMarkdown(date(sunset))}`]),
    announced ? 'announced in its answers' : 'not announced in its answers',
    ...(link === null ? [] : [escapeMarkdown(link)]),
  ];
  return [`- ${parts.join(', ')}.`];
}

function codeText({ code_location: location }: Evidence): string[] {
  if (location === null) return [];
  const { function: name, file, line, shared_by: others } = location;
  const place = file === null ? '' : `${file}${line === null ? '' : `:${line}`}`;
  const where = [name, place].filter(Boolean).map((text) => code(text!));
  const shared = others === 0 ? '' : `, as of ${plural(others, 'other route')} of the service`;
  return [`- Code: ${where.join(' in ')}${shared}.`];
}

function ownersText({ owners }: Evidence): string[] {
  return owners.length === 0 ? [] : [`- Owner: ${owners.map(escapeMarkdown).join(', ')}.`];
}

function inventoryText({ inventory }: Evidence): string[] {
  if (inventory === null) return [];
  const { declared, format, version, uploaded_at: at } = inventory;
  const state = declared ? 'Declared' : 'Not declared';
  return [
    `- ${state} in the inventory (${escapeMarkdown(format)}, version ${version}, ${date(at)}).`,
  ];
}
