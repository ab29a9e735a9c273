import type { EndpointRow } from '../api/answers.ts';
import { day, plural } from './format.ts';
import { plainText } from './text.ts';

/** The facts that the sentences are made of. */
type Facts = Pick<
  EndpointRow,
  | 'status'
  | 'marks'
  | 'observed_days'
  | 'first_called_at'
  | 'last_called_at'
  | 'days_since_last_call'
  | 'lifetime_calls'
  | 'last_callers'
  | 'last_version'
>;

/**
 * The facts of an endpoint's lifecycle as sentences with numbers. Uses only the API's answer; a sentence says
 * when a fact is unknown.
 */
export interface Siblings {
  /** Calls of the window to other endpoints of the same service. */
  otherCalls: number;
  periodName: string;
}

export function verdict(row: Facts, siblings: Siblings | undefined): string[] {
  if (row.last_called_at === null || row.first_called_at === null) {
    return [`Declared, and not called once in ${plural(row.observed_days, 'day')} of observation.`];
  }
  const sentences = [lifeSentence(row), callerSentence(row)];
  const silent = row.status === 'dead' || row.status === 'cold';
  if (silent && siblings !== undefined) {
    const { otherCalls, periodName } = siblings;
    sentences.push(
      otherCalls === 0
        ? `Its service was not called at all in the ${periodName}.`
        : `Its service answered ${plural(otherCalls, 'other call')} in the ${periodName}.`,
    );
  }
  if (row.status === 'unknown') {
    sentences.push('Its service itself is silent, so its own silence says nothing.');
  }
  return [...sentences.filter((sentence) => sentence !== undefined), ...cautions(row)];
}

function lifeSentence(row: Facts): string {
  const calls = plural(row.lifetime_calls, 'call');
  const first = day(row.first_called_at);
  const last = day(row.last_called_at);
  const life = first === last ? `${calls}, on ${first}` : `${calls} from ${first} to ${last}`;
  const silent = row.days_since_last_call ?? 0;
  if (silent === 0) return `${calls} since ${first}.`;
  return `Silent for ${plural(silent, 'day')}: ${life}.`;
}

function callerSentence(row: Facts): string | undefined {
  const caller = row.last_callers[0];
  if (caller === undefined) return undefined;
  const who = caller.consumer ?? caller.agent ?? caller.client;
  if (who === null) return undefined;
  const address = caller.client === null || caller.client === who ? '' : ` (${caller.client})`;
  const version = row.last_version === null ? '' : `, answered by version ${row.last_version}`;
  return plainText(`The last call came from ${who}${address}${version}.`);
}

/** What makes the facts weaker than they look. */
export function cautions(row: Facts): string[] {
  const marks = row.marks as readonly string[];
  const said: string[] = [];
  if (marks.includes('sampled')) {
    said.push('Its calls are sampled: some may have come and not been seen.');
  }
  if (row.status === 'dead' && row.observed_days < 90) {
    said.push(
      `Observed for ${plural(row.observed_days, 'day')} only: a quarterly job would not show yet.`,
    );
  }
  if (marks.includes('only_errors')) said.push('No call of its life succeeded.');
  if (marks.includes('periodic')) said.push('It is called in a rhythm: wait for the next date.');
  return said;
}
