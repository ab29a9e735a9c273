import type { Config } from '../../../core/config/config.ts';

export type ExcludeReason = 'method' | 'route';

/** Which endpoints are not counted at all (ROLLCALL_EXCLUDE_METHODS, ROLLCALL_EXCLUDE_ROUTES). */
export class Exclusion {
  readonly #methods: ReadonlySet<string>;
  readonly #routes: readonly RegExp[];

  constructor(config: Pick<Config, 'excludeMethods' | 'excludeRoutes'>) {
    this.#methods = new Set(config.excludeMethods.map((method) => method.toUpperCase()));
    this.#routes = config.excludeRoutes.map(globPattern);
  }

  /** Which list the endpoint is on; null for one that is counted. */
  reason(method: string, route: string): ExcludeReason | null {
    if (this.#methods.has(method)) return 'method';
    return this.#routes.some((pattern) => pattern.test(route)) ? 'route' : null;
  }
}

/** `*` stands for any characters, slashes too; `?` for one. Everything else for itself. */
function globPattern(glob: string): RegExp {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    // Runs of stars mean one, and would cost the engine dearly.
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's');
}
