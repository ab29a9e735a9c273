import { AppError } from '../error.ts';
import { serviceMemoryBytes } from './memory.ts';
import type { RetentionPeriods } from './retention.ts';
import {
  durationText,
  type excludedLatency,
  InvalidValue,
  isLoopback,
  type StoreAddress,
} from './values.ts';
import { type Variable, type VariableName, variables } from './variables.ts';

/**
 * The configuration of one process, read from environment variables (core/config/variables.ts). The
 * README has the same table.
 */
export interface Config {
  store: StoreAddress;
  host: string;
  /** Ports; 0 takes a free one. */
  otlpHttpPort: number;
  otlpGrpcPort: number;
  /** Seconds after which a gRPC connection is drained; undefined: never. */
  grpcConnectionAgeS: number | undefined;
  analyzerPort: number;
  /** `/rollcall`; '' for none. */
  basePath: string;
  /** With `{trace_id}` in it; undefined: traces have no address. */
  traceUrl: string | undefined;
  /** `keys`: every request needs a key. */
  auth: 'off' | 'keys';
  /** Names, in lower case, under which a service on loopback without keys is reached; those of loopback always. */
  allowedHosts: string[];
  /** The secret that may create projects and keys over the API; undefined: the API cannot create them. */
  adminKey: string | undefined;
  coldAfterDays: number;
  deadAfterDays: number;
  retention: RetentionPeriods;
  /** Networks in CIDR notation, or the word `private`; empty: no forwarding header is believed. */
  trustedProxies: string[];
  clientPrivacy: ClientPrivacyMode;
  consumerAttributes: string[];
  /** Globs over the consumers whose calls keep no endpoint alive. */
  ignoreConsumers: string[];
  /** Resource attributes; the first one present names who answers for a service's endpoints. */
  ownerAttributes: string[];
  /** File of owners by route (analyzer/inventory/owners.ts); undefined: none. */
  ownersPath: string | undefined;
  /** Upper case. */
  excludeMethods: string[];
  /** Globs over canonical routes. */
  excludeRoutes: string[];
  /** Calls that count, but whose duration is left out of latencies. */
  excludeLatency: ReturnType<typeof excludedLatency>;
  /** Count RPC server spans as calls. */
  rpc: boolean;
  /** Sampling weight by `service.name`, for spans that carry none themselves. */
  samplingFactors: ReadonlyMap<string, number>;
  /** One OTLP body after decompression. */
  maxBodyBytes: number;
  /** What the analyzer may use (core/config/memory.ts). */
  memoryBytes: number;
  /** Undefined: every port is served without TLS. */
  tls: TlsFiles | undefined;
  /** Lower case; `*` matches any run of characters. Empty: no browser may export. */
  corsOrigins: string[];
  /** Added to every answer over HTTP; names in lower case. */
  responseHeaders: [name: string, value: string][];
  logLevel: string;
}

/** How much of a client's address is kept (collector/extract/client/privacy.ts). */
export type ClientPrivacyMode = 'full' | 'truncate' | 'hash' | 'none';

/** PEM files (core/server/certificates.ts). */
export interface TlsFiles {
  certPath: string;
  keyPath: string;
  /** Authorities that sign the certificates OTLP senders must present; undefined: none is required. */
  clientCaPath: string | undefined;
}

/** Variables that Kubernetes sets in every pod for a service whose name begins with `rollcall`. */
const serviceLink =
  /^ROLLCALL_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP)(_.+)?)?)$/;

/**
 * Reads the configuration of an environment. An empty variable counts as unset.
 * @throws AppError `invalid` whose message has one line for each mistake: variable, value, what is allowed
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const mistakes = unknownVariables(env);
  const get = <N extends VariableName>(name: N) => readVariable(name, env, mistakes);
  const store = get('ROLLCALL_STORE');
  const host = get('ROLLCALL_HOST');
  const ports = {
    otlpHttpPort: get('ROLLCALL_OTLP_HTTP_PORT'),
    otlpGrpcPort: get('ROLLCALL_OTLP_GRPC_PORT'),
    analyzerPort: get('ROLLCALL_ANALYZER_PORT'),
  };
  const tls = {
    certPath: get('ROLLCALL_TLS_CERT'),
    keyPath: get('ROLLCALL_TLS_KEY'),
    clientCaPath: get('ROLLCALL_TLS_CLIENT_CA') || undefined,
  };
  const config: Config = {
    store,
    host,
    ...ports,
    grpcConnectionAgeS: get('ROLLCALL_GRPC_CONNECTION_AGE'),
    basePath: get('ROLLCALL_BASE_PATH'),
    traceUrl: get('ROLLCALL_TRACE_URL'),
    auth: get('ROLLCALL_AUTH') ?? (isLoopback(host) ? 'off' : 'keys'),
    allowedHosts: get('ROLLCALL_ALLOWED_HOSTS'),
    adminKey: get('ROLLCALL_ADMIN_KEY'),
    coldAfterDays: get('ROLLCALL_COLD_AFTER_DAYS'),
    deadAfterDays: get('ROLLCALL_DEAD_AFTER_DAYS'),
    retention: {
      callsS: get('ROLLCALL_RETAIN_CALLS'),
      minutesS: get('ROLLCALL_RETAIN_MINUTES'),
      hoursS: get('ROLLCALL_RETAIN_HOURS'),
      daysS: get('ROLLCALL_RETAIN_DAYS'),
    },
    trustedProxies: get('ROLLCALL_TRUSTED_PROXIES'),
    clientPrivacy: get('ROLLCALL_CLIENT_PRIVACY'),
    consumerAttributes: get('ROLLCALL_CONSUMER_ATTRIBUTES'),
    ignoreConsumers: get('ROLLCALL_IGNORE_CONSUMERS'),
    ownerAttributes: get('ROLLCALL_OWNER_ATTRIBUTES'),
    ownersPath: get('ROLLCALL_OWNERS') || undefined,
    excludeMethods: get('ROLLCALL_EXCLUDE_METHODS'),
    excludeRoutes: get('ROLLCALL_EXCLUDE_ROUTES'),
    excludeLatency: get('ROLLCALL_EXCLUDE_LATENCY'),
    rpc: get('ROLLCALL_RPC') === 'on',
    samplingFactors: get('ROLLCALL_SAMPLING_FACTORS'),
    maxBodyBytes: get('ROLLCALL_MAX_BODY_MIB') * 2 ** 20,
    memoryBytes: mibOr(get('ROLLCALL_MEMORY_MIB'), serviceMemoryBytes),
    tls: tls.certPath && tls.keyPath ? tls : undefined,
    corsOrigins: get('ROLLCALL_CORS_ORIGINS'),
    responseHeaders: get('ROLLCALL_RESPONSE_HEADERS'),
    logLevel: get('ROLLCALL_LOG'),
  };
  if (mistakes.length === 0) mistakes.push(...crossChecks(config, env));
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
    throw new AppError('invalid', [`${count} in the configuration:`, ...mistakes].join('\n  '));
  }
  return config;
}

function mibOr(mib: number | undefined, fallback: () => number): number {
  return mib === undefined ? fallback() : mib * 2 ** 20;
}

type ValueOf<N extends VariableName> = ReturnType<(typeof variables)[N]['read']>;

/** @returns the value; for a wrong one, the default's, after adding its message to `mistakes` */
function readVariable<N extends VariableName>(
  name: N,
  env: NodeJS.ProcessEnv,
  mistakes: string[],
): ValueOf<N> {
  const variable: Variable = variables[name];
  const text = env[name]?.trim() || variable.fallback;
  try {
    return variable.read(text) as ValueOf<N>;
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    mistakes.push(`${shown(name, text)} ${error.message}`);
    return variable.read(variable.fallback) as ValueOf<N>;
  }
}

/** Mistakes of two values together. Run only when each value alone is valid. */
function crossChecks(config: Config, env: NodeJS.ProcessEnv): string[] {
  const found: string[] = [];
  const say = (name: VariableName, why: string) => {
    found.push(`${shown(name, env[name]?.trim() || variables[name].fallback)} ${why}`);
  };
  if (config.adminKey !== undefined && config.auth === 'off') {
    say(
      'ROLLCALL_ADMIN_KEY',
      'is set, but authentication is off (ROLLCALL_AUTH): set ROLLCALL_AUTH=keys, or unset the key',
    );
  }
  if (config.deadAfterDays < config.coldAfterDays) {
    say(
      'ROLLCALL_DEAD_AFTER_DAYS',
      `is less than ROLLCALL_COLD_AFTER_DAYS=${config.coldAfterDays}`,
    );
  }
  if (config.tls === undefined) {
    const missing = 'needs ROLLCALL_TLS_CERT and ROLLCALL_TLS_KEY, both of them';
    for (const name of ['ROLLCALL_TLS_CERT', 'ROLLCALL_TLS_KEY', 'ROLLCALL_TLS_CLIENT_CA'] as const)
      if (env[name]?.trim()) say(name, missing);
  }
  const { callsS, minutesS, hoursS, daysS } = config.retention;
  const days = `ROLLCALL_RETAIN_DAYS=${durationText(daysS)}`;
  const hours = `ROLLCALL_RETAIN_HOURS=${durationText(hoursS)}`;
  if (minutesS > hoursS) say('ROLLCALL_RETAIN_MINUTES', `is longer than ${hours}`);
  if (hoursS > daysS) say('ROLLCALL_RETAIN_HOURS', `is longer than ${days}`);
  if (callsS > daysS) say('ROLLCALL_RETAIN_CALLS', `is longer than ${days}`);
  const ports = [
    ['ROLLCALL_OTLP_HTTP_PORT', config.otlpHttpPort],
    ['ROLLCALL_OTLP_GRPC_PORT', config.otlpGrpcPort],
    ['ROLLCALL_ANALYZER_PORT', config.analyzerPort],
  ] as const;
  ports.forEach(([name, port], index) => {
    const [other] = ports.slice(0, index).find(([, taken]) => taken === port) ?? [];
    if (other !== undefined && port !== 0) {
      say(name, `is also ${other}; each needs a port of its own`);
    }
  });
  return found;
}

/** Holds a key for commands that talk to the REST API (cli/inventory.ts); services do not read it. */
export const keyVariable = 'ROLLCALL_KEY';

/** Refused with the reason, since it is asked for by name: a store on replicas would count wrong. */
const clusterVariable = 'ROLLCALL_CLICKHOUSE_CLUSTER';
const clusterRefusal = `${clusterVariable} is not supported: what is counted once rests on the order of the inserts of one ClickHouse server, which replicas and shards do not keep (docs/decisions/0020-clickhouse.md); leave it unset and name one server in ROLLCALL_STORE`;

/** Variables named `ROLLCALL_…` that this version does not read. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const found: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('ROLLCALL_') || name in variables || name === keyVariable) continue;
    if (name === clusterVariable) {
      if (env[name] !== '') found.push(clusterRefusal);
      continue;
    }
    if (!serviceLink.test(name)) {
      found.push(
        `${name} is not a variable of Rollcall; it reads ${Object.keys(variables).join(', ')}`,
      );
    }
  }
  return found;
}

function shown(name: VariableName, text: string): string {
  const variable: Variable = variables[name];
  const isSecret =
    variable.secret === 'whole' || (variable.secret === 'before @' && text.includes('@'));
  return isSecret ? name : `${name}=${text}`;
}
