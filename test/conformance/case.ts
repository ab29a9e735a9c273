import type { RequirementId } from './requirements.ts';
import type { GrpcTarget, OwnTarget, Setup, Target } from './target.ts';

/**
 * One thing that is asked of a server, as a function that any server can be given to: our own process or
 * one that listens somewhere. An id has one case or several.
 */
export interface Case {
  id: RequirementId;
  /** What this case of the id tries. */
  name: string;
  /** How the server has to be set up. */
  setup: Setup;
  needs: Needs;
  /** @throws Difference when the server does something else than what is asked */
  run(target: Target): Promise<void>;
}

/** `inside`: our own process, with its counters, its store and its end. */
export type Needs = 'http' | 'grpc' | 'inside';

/** Collects the cases of one section; each adds itself. */
export class CaseList {
  readonly cases: Case[] = [];

  /** Over HTTP, against any server. */
  readonly http = this.#adding<Target>('http');
  /** Over gRPC, against any server. */
  readonly grpc = this.#adding<GrpcTarget>('grpc');
  /** Against a process of our own. */
  readonly inside = this.#adding<OwnTarget>('inside');

  #adding<T extends Target>(needs: Needs) {
    return (
      id: RequirementId,
      name: string,
      run: (target: T) => Promise<void>,
      setup: Setup = 'plain',
    ): void => {
      // What a case needs, `missing` has looked for.
      this.cases.push({ id, name, setup, needs, run: (target) => run(target as T) });
    };
  }
}

/** Why the case cannot be run against this server; undefined when it can. */
export function missing(
  { needs, setup }: Case,
  target: Target,
  setups: readonly Setup[],
): string | undefined {
  if (needs === 'inside' && target.inside === undefined) {
    return 'needs a process of its own, to look into its counters and its store and to end it';
  }
  if (!setups.includes(setup)) return setupTexts[setup];
  if (needs === 'grpc' && target.grpcAddress === undefined) return 'needs --grpc HOST:PORT';
  return undefined;
}

const setupTexts: Record<Setup, string> = {
  plain: '',
  small: 'needs a server with a body limit of 1 MiB',
  keys: 'needs a server with keys',
  tls: 'needs a server with certificates of its own',
  cors: 'needs a server with allowed origins',
};
