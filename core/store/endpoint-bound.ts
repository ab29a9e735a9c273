import { limits } from '../limits.ts';

/** What a service has: endpoints, and how many of them are of the kinds that have a bound of their own. */
export interface EndpointCounts {
  endpoints: number;
  /** With a route that was made up from the path. */
  templated: number;
  /** Of those, ones that only refused calls speak for. */
  refused: number;
  /** Spellings of routes beside the first of each endpoint. */
  spellings: number;
}

/** Endpoints beside those of the service. */
export interface EndpointsAround {
  project: number;
  store: number;
}

/** What becomes of a route that a service has not used before. */
export type Admission =
  /** It is counted by itself. */
  | 'own'
  /** Its calls are counted with a known spelling of its shape. */
  | 'known'
  /** Its calls are counted in `{other}` of the method. */
  | 'other';

/**
 * Bounds the endpoints of a service, its project and the store, and the spellings of their routes (core/limits.ts).
 * @param spellingsOfShape how many spellings of its shape the service has used with this method
 */
export function admitRoute(
  counts: Readonly<EndpointCounts>,
  around: Readonly<EndpointsAround>,
  { templated, refused }: { templated: boolean; refused: boolean },
  spellingsOfShape: number,
): Admission {
  if (spellingsOfShape > 0) {
    const isFull =
      spellingsOfShape >= limits.spellingsPerShape ||
      counts.spellings >= limits.spellingsPerService;
    return isFull ? 'known' : 'own';
  }
  const isFull =
    around.project >= limits.endpointsPerProject ||
    around.store >= limits.endpointsPerStore ||
    counts.endpoints >= limits.endpointsPerService ||
    (templated && counts.templated >= limits.templatedRoutesPerService) ||
    (refused && counts.refused >= limits.refusedRoutesPerService);
  return isFull ? 'other' : 'own';
}

/** Bounds how fast the endpoints of a project may become more: a bucket of tokens for each project. */
export class NewEndpoints {
  readonly #left = new Map<number, { endpoints: number; atS: number }>();

  /** Whether one more may begin now; if so, it is counted. @param project the engine's number of it */
  take(project: number, nowS: number): boolean {
    const { endpoints, atS } = this.#left.get(project) ?? {
      endpoints: limits.newEndpoints,
      atS: nowS,
    };
    const more = (Math.max(0, nowS - atS) * limits.newEndpointsPerHour) / 3600;
    const left = Math.min(endpoints + more, limits.newEndpoints);
    const isTaken = left >= 1;
    this.#left.set(project, { endpoints: isTaken ? left - 1 : left, atS: nowS });
    return isTaken;
  }
}
