import { isoTime } from '../../core/window.ts';
import { isClumped, isFading } from './confidence.ts';
import type { Lifecycle } from './lifecycle.ts';
import { dayMs } from './observation.ts';

/** Codes of the reasons of a verdict, with what each says. */
export const reasonCodes = {
  silent: 'observed days without a use',
  never_called: 'declared, and not called while its service was observed',
  never_used: 'every call was refused, missing, or of a caller that does not count',
  uses: 'on how many days it was used before, and its longest gap',
  few_uses: 'too few uses for silence alone to say much',
  short_life: 'used for so short a time that it may come once a year',
  within_rhythm: 'regular, and not silent for twice its longest gap',
  overdue: 'regular, and silent for more than twice its longest gap',
  clumped: 'its uses come in episodes; each counts as one',
  fading: 'its uses became rarer: the next gap may be longer than any before',
  probed: 'robots are still answered',
  sampled: 'only a sample of the calls is seen',
  guessed_routes: 'routes of the service are partly guessed from paths',
  quiet_service: 'the service is heard less than before',
  not_observed: 'the service is not observed now',
  hidden: 'calls past the bound of endpoints are counted in {other}, and may be its own',
  continued: 'another spelling of its route is used, and may be this endpoint',
} as const;

export type ReasonCode = keyof typeof reasonCodes;

export interface Reason {
  code: ReasonCode;
  message: string;
}

/** Why the verdict is what it is, most important first; in words that stay the same while the facts do. */
export function reasonsOf(life: Lifecycle): Reason[] {
  const { status, grounds } = life;
  if (status === 'unknown' && life.isContinued) {
    const message = 'Another spelling of this route is used since, and may be the same endpoint.';
    return [reason('continued', message)];
  }
  if (status === 'unknown' && life.isHidden) {
    const message = 'Calls past the bound of endpoints are in {other}; some may be its own.';
    return [reason('hidden', message)];
  }
  if (status === 'unknown') {
    return [reason('not_observed', 'The service has not been heard since; silence shows nothing.')];
  }
  if (grounds === undefined) return [];
  const { silence, by } = grounds;
  const { rhythm } = silence;
  const silent = days(silence.days);
  const reasons: Reason[] = [];
  if (status === 'never_called') {
    reasons.push(reason('never_called', `Never called in ${silent} of observation.`));
  } else if (rhythm === undefined) {
    reasons.push(reason('never_used', `No use in ${silent} of observation.`));
  } else {
    const since = life.lastUseMs === null ? '' : `, since ${isoTime(life.lastUseMs).slice(0, 10)}`;
    reasons.push(reason('silent', `No use in ${silent} of observation${since}.`));
  }
  if (rhythm !== undefined) {
    const gap = rhythm.useDays > 1 ? `, with gaps of at most ${days(rhythm.longestGapDays)}` : '';
    const used = rhythm.useDays === 1 ? 'one day' : `${rhythm.useDays} days`;
    const [first, last] = [dateOf(rhythm.firstDay), dateOf(rhythm.lastDay)];
    const when = rhythm.useDays === 1 ? `, ${first}` : ` from ${first} to ${last}`;
    reasons.push(reason('uses', `Used on ${used}${when}${gap}.`));
    if (rhythm.period) {
      const expected = dateOf(rhythm.period.expectedDay);
      const regular = `Used about every ${days(rhythm.period.days)}`;
      reasons.push(
        status === 'dead'
          ? reason('overdue', `${regular}; it was expected on ${expected}.`)
          : reason('within_rhythm', `${regular}; expected on ${expected}.`),
      );
    }
    if (by !== 'gap' && rhythm.useDays < 10) {
      reasons.push(reason('few_uses', 'So few uses may come back within a year.'));
    } else if (by === 'season') {
      reasons.push(
        reason('short_life', `Its use lasted ${days(rhythm.lifeDays)}: it may come back yearly.`),
      );
    }
    if (isClumped(rhythm) && rhythm.episodes > 1) {
      reasons.push(reason('clumped', `Its uses came in ${rhythm.episodes} episodes.`));
    }
  }
  if (rhythm !== undefined && rhythm.useDays > 2 && isFading(rhythm)) {
    reasons.push(reason('fading', 'Its uses became rarer.'));
  }
  if (silence.isProbed) reasons.push(reason('probed', 'Robots were answered lately.'));
  if (silence.thinning < 0.995) {
    const share = Math.max(1, Math.round(silence.thinning * 100));
    reasons.push(reason('sampled', `About ${share} % of what was seen before is seen now.`));
  }
  if (silence.guessedShare >= 0.005) {
    const share = Math.round(silence.guessedShare * 100);
    reasons.push(
      reason('guessed_routes', `${share} % of the service's calls have a guessed route or none.`),
    );
  }
  if (silence.liveliness < 0.9) {
    const share = Math.round(silence.liveliness * 100);
    reasons.push(
      reason('quiet_service', `The service is heard in ${share} % of the hours of before.`),
    );
  }
  return reasons;
}

export function reasonsText(reasons: readonly Reason[]): string {
  return reasons.map(({ message }) => message).join(' ');
}

function reason(code: ReasonCode, message: string): Reason {
  return { code, message };
}

const dateOf = (day: number): string => isoTime(day * dayMs).slice(0, 10);

function days(count: number): string {
  const whole = Math.floor(count);
  return whole === 1 ? '1 day' : `${whole} days`;
}
