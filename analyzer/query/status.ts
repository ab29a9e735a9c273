/**
 * Lifecycle statuses, defined once: the parameter `status=`, the rows, the summary's counts and the OpenAPI
 * document come from here. analyzer/verdict/lifecycle.ts computes them.
 */
export const statuses = ['active', 'cold', 'dead', 'never_called', 'unknown', 'removed'] as const;

export type Status = (typeof statuses)[number];

/** Remarks beside the status. analyzer/verdict/lifecycle.ts decides when each is set. */
export const marks = [
  'new',
  'only_errors',
  'only_refused',
  'only_bots',
  'periodic',
  'sampled',
  'undocumented',
  'deprecated',
  'sunset_passed',
  'deprecated_without_notice',
  'called_after_removal',
  'renamed',
  'stale_version',
  'matched_by_path',
  'match_guessed',
] as const;

export type Mark = (typeof marks)[number];
