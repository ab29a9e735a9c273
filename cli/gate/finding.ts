/** What a check can find, and what each kind means. */
export const kinds = {
  breaking: 'An operation is removed that is still in use',
  'removal-before-deprecation':
    'An operation is removed that was not deprecated, or before its sunset, and is not known to be dead',
  dead: 'A declared operation is dead or was never called',
  undocumented: 'An operation is in use and not declared',
  'deprecated-used': 'A deprecated operation is still called',
} as const;

export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as Kind[];

export interface Finding {
  kind: Kind;
  method: string;
  route: string;
  /** A sentence without the operation's name. */
  message: string;
  /** Of the specification, from 1. */
  line: number;
  /** The same as long as the kind, the service and the operation are; 32 hexadecimal digits. */
  fingerprint: string;
  /** It makes the check fail: its kind was asked for, and the baseline does not have it. */
  fails: boolean;
  /** The baseline has it. */
  isKnown: boolean;
}

/** An operation that the old specification has and the new one has not. */
export interface Removal {
  method: string;
  route: string;
  /** `unproven`: not seen in use lately, and not known to be dead. */
  verdict: 'safe' | 'breaks' | 'unproven';
  /** `safe: dead, 0.98` or `breaks 3 clients, 1,204 calls in the last 7 days`. */
  message: string;
}

/** What a check found out, as every format writes it. */
export interface Outcome {
  service: string;
  environment: string | null;
  /** Path of the specification, with slashes, relative where it lies below the working folder. */
  spec: string;
  failOn: readonly Kind[];
  minConfidence: number;
  /** `7 days`. */
  window: string;
  operations: number;
  findings: Finding[];
  removals: Removal[];
  /** Sentences about what could not be judged. */
  notes: string[];
  failed: boolean;
}
