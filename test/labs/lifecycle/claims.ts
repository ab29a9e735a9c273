/** What one rule claims about endpoints while time goes by, against their known future. */
export class Claims {
  readonly name: string;
  /** A claim begins when the rule calls an endpoint dead, and ends when it no longer does. */
  claims = 0;
  falseClaims = 0;
  /** Days from the last use of an endpoint to its right claim. */
  readonly #delays: number[] = [];
  readonly #standing = new Map<number, number>();
  readonly #byKind = new Map<string, { claims: number; falseClaims: number; delays: number[] }>();

  constructor(name: string) {
    this.name = name;
  }

  /** @param diedDay the day of the last use ever; undefined while uses are to come */
  note(
    endpoint: number,
    kind: string,
    isDead: boolean,
    day: number,
    diedDay: number | undefined,
  ): void {
    if (!isDead) {
      this.#standing.delete(endpoint);
      return;
    }
    if (this.#standing.has(endpoint)) return;
    this.#standing.set(endpoint, day);
    let own = this.#byKind.get(kind);
    if (own === undefined) {
      own = { claims: 0, falseClaims: 0, delays: [] };
      this.#byKind.set(kind, own);
    }
    this.claims += 1;
    own.claims += 1;
    if (diedDay === undefined) {
      this.falseClaims += 1;
      own.falseClaims += 1;
    } else {
      this.#delays.push(day - diedDay);
      own.delays.push(day - diedDay);
    }
  }

  isStanding(endpoint: number): boolean {
    return this.#standing.has(endpoint);
  }

  get precisionPct(): number {
    return precision(this);
  }

  get medianDelayDays(): number | null {
    return median(this.#delays);
  }

  ofKind(kind: string): { claims: number; precisionPct: number; medianDelayDays: number | null } {
    const own = this.#byKind.get(kind) ?? { claims: 0, falseClaims: 0, delays: [] };
    return {
      claims: own.claims,
      precisionPct: precision(own),
      medianDelayDays: median(own.delays),
    };
  }
}

function precision({ claims, falseClaims }: { claims: number; falseClaims: number }): number {
  return claims === 0 ? Number.NaN : (100 * (claims - falseClaims)) / claims;
}

function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
