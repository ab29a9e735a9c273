import { aliveProbability, type Parameters } from './bgnbd.ts';
import type { Rhythm } from './rhythm.ts';

/**
 * How sure it is that a silent endpoint will not be used again (docs/verdicts.md). Three reasons to expect another
 * use are weighed, and the strongest counts: the model fitted to the project, the endpoint's own longest gap, and
 * that its use may come once a year. What was not seen lowers the rest.
 */
export interface Silence {
  /** Undefined: it was never used. */
  rhythm: Rhythm | undefined;
  /** Observed days since the last use; where there was none, since its first call or its declaration. */
  days: number;
  /** How likely a use would be seen now, against before: 1 without sampling. */
  thinning: number;
  /** Hours a day in which its service is heard now, against before: at most 1. */
  liveliness: number;
  /** Share of its service's calls whose route was guessed: some may have been of this endpoint. */
  guessedShare: number;
  /** A robot was answered lately. */
  isProbed: boolean;
}

export interface Confidence {
  /** 0 to 1, three decimals, rounded down. */
  value: number;
  /** The reason to expect another use that counted. */
  by: 'model' | 'gap' | 'season' | 'never_used';
  /** Probability of another use by that reason. */
  alive: number;
}

/** A year, and five days of tolerance: what is used once a year is silent for so long. */
const seasonDays = 370;
/** The chance that a use comes once a year falls to a third in so many days of life, in so many repeated uses. */
const seasonLifeDays = 40;
const seasonUses = 6;
const seasonChance = 0.62;
/** Gaps are clumped where their coefficient of variation is above this; of calls by chance it is 1. */
const clumpedVariation = 1.3;
/** Or where short gaps are so many times as frequent as of calls by chance. */
const clumpedShare = 2;
/** Use that fades: its latest gaps are longer than the mean one, or its days of use lie early in its life (Laplace's
 *  test). Then the next gap may be longer than any before. */
const fadingGaps = 2;
const fadingTrend = -1.5;
const fadingLongest = 2.5;
/** A robot that is answered needs the route, and says nothing of people. */
const probedMost = 0.5;
const guessedWeight = 0.5;
const surest = 0.999;

export function confidenceOf(silence: Silence, parameters: Parameters): Confidence {
  const { rhythm, guessedShare, isProbed } = silence;
  const days = silence.days * silence.thinning * silence.liveliness;
  const found =
    rhythm === undefined
      ? { by: 'never_used' as const, alive: neverUsed(days) }
      : strongest(rhythm, days, parameters);
  let value = (1 - found.alive) * (1 - guessedWeight * guessedShare);
  if (isProbed) value = Math.min(value, probedMost);
  return { ...found, value: Math.floor(Math.min(value, surest) * 1000) / 1000 };
}

function strongest(rhythm: Rhythm, days: number, parameters: Parameters) {
  const reasons = [
    { by: 'model' as const, alive: byModel(rhythm, days, parameters) },
    { by: 'gap' as const, alive: byLongestGap(rhythm, days) },
    { by: 'season' as const, alive: bySeason(rhythm, days) },
  ];
  return reasons.reduce((a, b) => (b.alive > a.alive ? b : a));
}

/** Of clumped use, an episode counts as one use. The model says nothing of a single use: it is certain of another. */
function byModel(rhythm: Rhythm, days: number, parameters: Parameters): number {
  const { useDays, lifeDays, episodes, episodesDays } = rhythm;
  if (useDays < 2) return 0;
  const countsEpisodes = isClumped(rhythm) && episodes > 1;
  const x = countsEpisodes ? episodes - 1 : useDays - 1;
  const tx = countsEpisodes ? episodesDays : lifeDays;
  return aliveProbability(parameters, { x, tx, t: lifeDays + days });
}

/** The odds of another use fall with a power of the silence over the longest gap: 1 to 1 when they are equal. */
function byLongestGap(rhythm: Rhythm, days: number): number {
  const { longestGapDays, useDays } = rhythm;
  if (useDays < 2) return 0;
  const fades = isFading(rhythm);
  const longest = fades ? longestGapDays * fadingLongest : longestGapDays;
  const odds = (longest / Math.max(days, 1)) ** (fades || isClumped(rhythm) ? 2 : 3);
  return odds / (1 + odds);
}

export function isClumped({ variation, shortGaps, lifeDays, useDays }: Rhythm): boolean {
  if (variation > clumpedVariation) return true;
  const byChance = 1 - Math.exp((-2 * (useDays - 1)) / Math.max(1, lifeDays));
  return useDays > 4 && shortGaps > clumpedShare * byChance;
}

export function isFading({ latestGapDays, lifeDays, useDays, trend }: Rhythm): boolean {
  return latestGapDays > (fadingGaps * lifeDays) / (useDays - 1) || trend < fadingTrend;
}

/** What was used for a short time, or a few times, may come back with its season. */
function bySeason({ lifeDays, useDays }: Rhythm, days: number): number {
  const life = Math.min(lifeDays / seasonLifeDays, (useDays - 1) / seasonUses);
  return seasonChance * Math.exp(-life) * afterSeason(days);
}

/** A declared endpoint that nobody needs yet is called within months, one that is needed once a year within one. */
function neverUsed(days: number): number {
  return 0.35 * Math.exp(-days / 120) + 0.12 * afterSeason(days);
}

function afterSeason(days: number): number {
  return Math.min(1, (seasonDays / Math.max(days, 1)) ** 4);
}
