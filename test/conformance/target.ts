import type { Scope } from '../../core/key.ts';
import type { Authority } from '../support/certificates.ts';
import type { Running } from '../support/process.ts';

/** A server that the list is run against: anybody's that listens somewhere, or a process of our own. */
export interface Target {
  /** Without a path: `http://127.0.0.1:4318`. */
  httpUrl: string;
  /** `127.0.0.1:4317`, or none. */
  grpcAddress: string | undefined;
  /** The server's limit of one body after decompression. */
  bodyBytesMax: number;
  /** Only of a process of our own. */
  inside: Inside | undefined;
}

export type GrpcTarget = Target & { grpcAddress: string };
export type OwnTarget = GrpcTarget & { inside: Inside };

/** `small`: bodies of 1 MiB at the most. The others say what is on; `cors` has headers of its own too. */
export type Setup = 'plain' | 'small' | 'keys' | 'tls' | 'cors';

/** What can be seen of a process of our own beside its answers. */
export interface Inside {
  /** Value of a counter of /metrics: `rollcall_spans_total{outcome="stored",reason=""}`; 0 when absent. */
  counter(name: string): Promise<number>;
  /** Calls stored so far. */
  stored(): Promise<number>;
  /** Rows of the report over all that was ever stored, from an analyzer on the same store. */
  endpoints(): Promise<ReportedEndpoint[]>;
  storePath: string;
  running: Running;
  /** The texts of a project's keys, by scope; of the setup `keys`. */
  keys: Record<Scope, string>;
  /** Who issued the server's certificate; of the setup `tls`. */
  authority: Authority;
  /** Writes another certificate of the authority into the files that the server reads. */
  issue(name: string): void;
}

export interface ReportedEndpoint {
  service: string;
  method: string;
  route: string;
  total_calls: number;
  last_called_at: string;
}
