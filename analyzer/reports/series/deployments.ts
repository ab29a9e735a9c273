import { specialRoutes } from '../../../core/limits.ts';
import type { EndpointRecord } from '../../../core/store/store.ts';
import { serviceKey } from '../../verdict/model.ts';

/**
 * Deployments: the first call of each version of a service is one. They come from the permanent records, so that they
 * outlive raw calls and hours.
 */
export interface Deployment {
  service: string;
  environment: string;
  version: string;
  /** The version before it; absent for the first that was observed. */
  previous?: string;
  atMs: number;
}

/** By `serviceKey`: the deployments of a service, oldest first. Versions past an endpoint's bound have none. */
export function deploymentsOf(
  endpoints: readonly EndpointRecord[],
): ReadonlyMap<string, readonly Deployment[]> {
  const firstByService = new Map<string, Map<string, Deployment>>();
  for (const endpoint of endpoints) {
    const { service, environment, versions } = endpoint;
    const key = serviceKey(endpoint);
    const first = firstByService.get(key) ?? new Map<string, Deployment>();
    firstByService.set(key, first);
    for (const { version, firstCallMs } of versions) {
      if (version === '' || version === specialRoutes.other) continue;
      if (firstCallMs >= (first.get(version)?.atMs ?? Number.POSITIVE_INFINITY)) continue;
      first.set(version, { service, environment, version, atMs: firstCallMs });
    }
  }
  return new Map(
    [...firstByService].map(([key, first]) => {
      const ordered = [...first.values()].sort(
        (a, b) => a.atMs - b.atMs || (a.version < b.version ? -1 : 1),
      );
      return [
        key,
        ordered.map((deployment, n) =>
          n === 0 ? deployment : { ...deployment, previous: ordered[n - 1]!.version },
        ),
      ];
    }),
  );
}

const staleAfterMs = 86_400_000;

/** An older version answered it last, more than a day after the newest version of its service appeared. */
export function isStale(
  { lastVersion, lastCallMs }: Pick<EndpointRecord, 'lastVersion' | 'lastCallMs'>,
  deployments: readonly Deployment[] = [],
): boolean {
  const newest = deployments.at(-1);
  if (newest === undefined || lastVersion === '' || lastVersion === newest.version) return false;
  return lastCallMs > newest.atMs + staleAfterMs;
}
