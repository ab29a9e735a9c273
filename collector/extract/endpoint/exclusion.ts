import type { Config } from '../../../core/config/config.ts';
import { type GlobMatcher, globMatcher } from '../../../core/glob.ts';

export type ExcludeReason = 'method' | 'route';

/** Endpoints that are not counted at all (ROLLCALL_EXCLUDE_METHODS, ROLLCALL_EXCLUDE_ROUTES). */
export class Exclusion {
  readonly #methods: ReadonlySet<string>;
  readonly #routes: readonly GlobMatcher[];

  constructor(config: Pick<Config, 'excludeMethods' | 'excludeRoutes'>) {
    this.#methods = new Set(config.excludeMethods.map((method) => method.toUpperCase()));
    this.#routes = config.excludeRoutes.map(globMatcher);
  }

  /** The list that excludes the endpoint; null for an endpoint that is counted. */
  reason(method: string, route: string): ExcludeReason | null {
    if (this.#methods.has(method)) return 'method';
    return this.#routes.some((matches) => matches(route)) ? 'route' : null;
  }
}
