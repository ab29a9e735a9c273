
/**
 * Configuration: environment variables only, one table in the README. All mistakes are reported at once.
 * A duration is `90s`, `5m`, `36h` or `30d`.
 */
export interface Config {
  store: { engine: 'sqlite'; path: string };
  host: string;
  otlpHttpPort: number;
  analyzerPort: number;
  coldAfterDays: number;
  deadAfterDays: number;
  retention: Retention;
  /** CIDR texts; `private` and `none` as written. */
  trustedProxies: string[];
  consumerAttributes: string[];
  excludeMethods: string[];
  excludeRoutes: string[];
  maxBodyBytes: number;
  logLevel: string;
}

/** How long each level of detail is kept, in seconds. */
export interface Retention {
  callsS: number;
  minutesS: number;
  hoursS: number;
  daysS: number;
}

export const defaultRetention: Retention = {
  callsS: 3 * 86_400,
  minutesS: 2 * 86_400,
  hoursS: 90 * 86_400,
  daysS: 800 * 86_400,
};
