import { AppError } from '../error.ts';
import { limits } from '../limits.ts';
import { dayS, hourS, minuteS } from '../window.ts';
import * as setting from './values.ts';

/**
 * Configuration: environment variables only, one table in the README. All mistakes are reported at once.
 * A duration is `90s`, `5m`, `36h` or `30d`.
 */
export interface Config {
  store: { engine: 'sqlite'; path: string };
  host: string;
  /** Ports; 0 takes a free one. */
  otlpHttpPort: number;
  otlpGrpcPort: number;
  /** Undefined: a gRPC connection may grow as old as it likes. */
  grpcConnectionAgeS: number | undefined;
  analyzerPort: number;
  /** Whether a key is asked for. */
  auth: 'off' | 'keys';
  /** Creates projects and keys over the API; undefined: nobody does. */
  adminKey: string | undefined;
  coldAfterDays: number;
  deadAfterDays: number;
  retention: Retention;
  /** Networks in CIDR notation, and `private` as written; empty when nobody is trusted. */
  trustedProxies: string[];
  clientPrivacy: ClientPrivacyMode;
  consumerAttributes: string[];
  /** Upper case. */
  excludeMethods: string[];
  /** Globs over canonical routes. */
  excludeRoutes: string[];
  /** Calls whose duration is no latency: they count, and their duration does not. */
  excludeLatency: ReturnType<typeof setting.excludedLatency>;
  /** RPC server spans are calls too. */
  rpc: boolean;
  /** By `service.name`: calls that a span stands for when it does not say so itself. */
  samplingFactors: ReadonlyMap<string, number>;
  /** One OTLP body after decompression. */
  maxBodyBytes: number;
  /** Undefined: everything is served in the clear. */
  tls: TlsFiles | undefined;
  /** Lower case, `*` for any run of characters; empty when no browser may export. */
  corsOrigins: string[];
  /** Names in lower case, of every answer over HTTP. */
  responseHeaders: [name: string, value: string][];
  logLevel: string;
}

/** What is kept of a client's address (collector/extract/client/privacy.ts). */
export type ClientPrivacyMode = 'full' | 'truncate' | 'hash' | 'none';

/** PEM files (core/server/certificates.ts). */
export interface TlsFiles {
  certPath: string;
  keyPath: string;
  /** Whose certificates senders of OTLP must show; undefined: nobody needs one. */
  clientCaPath: string | undefined;
}

/** How long each level of detail is kept, in seconds. */
export interface Retention {
  callsS: number;
  minutesS: number;
  hoursS: number;
  daysS: number;
}

export const defaultRetention: Retention = {
  callsS: 3 * dayS,
  minutesS: 2 * dayS,
  hoursS: 90 * dayS,
  daysS: 800 * dayS,
};

export interface Variable<T = unknown> {
  /** Text that stands when the variable is unset or empty; shown in help and README. */
  fallback: string;
  meaning: string;
  read: (text: string) => T;
  /** The value is a secret, or may hold one before an @: never repeated in a message. */
  secret?: 'whole' | 'before @';
}

/** `least` is what still lets the next coarser level be built and read; the most is what a window may ask. */
function keep(fallbackS: number, leastS: number, what: string): Variable<number> {
  const read = setting.duration(leastS, limits.windowDays * dayS);
  return { fallback: setting.durationText(fallbackS), meaning: `how long ${what}`, read };
}

/** For a variable that may be unset. */
function optional<T>(read: (text: string) => T): (text: string) => T | undefined {
  return (text) => (text === '' ? undefined : read(text));
}

/** Every variable this version reads, in the order of the README's table. */
export const variables = {
  ROLLCALL_STORE: {
    fallback: 'sqlite:data/rollcall.db',
    meaning: 'where calls are kept: sqlite: and a file',
    read: setting.store,
    secret: 'before @',
  },
  ROLLCALL_HOST: {
    fallback: '127.0.0.1',
    meaning: 'address to listen on',
    read: setting.host,
  },
  ROLLCALL_OTLP_HTTP_PORT: {
    fallback: '4318',
    meaning: 'OTLP over HTTP; 0 takes a free port',
    read: setting.port,
  },
  ROLLCALL_OTLP_GRPC_PORT: {
    fallback: '4317',
    meaning: 'OTLP over gRPC; 0 takes a free port',
    read: setting.port,
  },
  ROLLCALL_GRPC_CONNECTION_AGE: {
    fallback: '',
    meaning:
      'age at which a gRPC connection is asked to make place for a new one, behind a balancer that counts connections; unset, never',
    read: optional(setting.duration(1, 30 * dayS)),
  },
  ROLLCALL_ANALYZER_PORT: {
    fallback: '4380',
    meaning: 'REST API; 0 takes a free port',
    read: setting.port,
  },
  ROLLCALL_AUTH: {
    fallback: '',
    meaning:
      'keys: every request needs one; off: everyone who reaches the ports may write and read; unless set, off on a loopback address, else keys',
    read: optional(setting.oneOf('off', 'keys')),
  },
  ROLLCALL_ADMIN_KEY: {
    fallback: '',
    meaning:
      'a secret of at least 32 characters that may create projects and keys over the REST API',
    read: optional(setting.adminKey),
    secret: 'whole',
  },
  ROLLCALL_COLD_AFTER_DAYS: {
    fallback: '7',
    meaning: 'days of silence after which an endpoint is cold',
    read: setting.wholeNumber(1, limits.windowDays),
  },
  ROLLCALL_DEAD_AFTER_DAYS: {
    fallback: '30',
    meaning: 'days of silence after which an endpoint is dead',
    read: setting.wholeNumber(1, limits.windowDays),
  },
  ROLLCALL_RETAIN_CALLS: keep(defaultRetention.callsS, minuteS, 'raw calls are kept'),
  ROLLCALL_RETAIN_MINUTES: keep(
    defaultRetention.minutesS,
    hourS,
    'reports are exact to the minute',
  ),
  ROLLCALL_RETAIN_HOURS: keep(defaultRetention.hoursS, dayS, 'reports are exact to the hour'),
  ROLLCALL_RETAIN_DAYS: keep(defaultRetention.daysS, dayS, 'reports are exact to the day'),
  ROLLCALL_TRUSTED_PROXIES: {
    fallback: 'private',
    meaning: 'networks whose forwarding headers are believed: CIDR list, private, or none',
    read: setting.list(setting.network),
  },
  ROLLCALL_CLIENT_PRIVACY: {
    fallback: 'full',
    meaning:
      "what is kept of clients' addresses: full, truncate (networks of /24 and /48), hash (keyed anew every day) or none",
    read: setting.oneOf('full', 'truncate', 'hash', 'none'),
  },
  ROLLCALL_CONSUMER_ATTRIBUTES: {
    fallback: 'enduser.id,user.id',
    meaning: 'span attributes; the first one present names the consumer',
    read: setting.list(setting.attributeName),
  },
  ROLLCALL_EXCLUDE_METHODS: {
    fallback: 'OPTIONS',
    meaning: 'methods that are not counted; none counts all',
    read: setting.list(setting.method),
  },
  ROLLCALL_EXCLUDE_ROUTES: {
    fallback: 'none',
    meaning: 'routes that are not counted, as globs: /health*,*/metrics',
    read: setting.list(setting.routeGlob),
  },
  ROLLCALL_EXCLUDE_LATENCY: {
    fallback: 'upgrades,streams',
    meaning:
      'calls whose duration is no latency: upgrades (status 101), streams (server-sent events), longer than a duration such as 5m, or none',
    read: setting.excludedLatency,
  },
  ROLLCALL_RPC: {
    fallback: 'off',
    meaning: 'on: RPC server spans (gRPC, Connect) are calls too, as POST /package.Service/Method',
    read: setting.oneOf('off', 'on'),
  },
  ROLLCALL_SAMPLING_FACTORS: {
    fallback: 'none',
    meaning:
      'calls that one span stands for, by service, where spans do not say it: shop=10,checkout=4',
    read: setting.samplingFactors,
  },
  ROLLCALL_MAX_BODY_MIB: {
    fallback: String(limits.bodyBytes / 2 ** 20),
    meaning: 'largest OTLP body after decompression, in MiB',
    read: setting.wholeNumber(1, limits.bodyMibMost),
  },
  ROLLCALL_TLS_CERT: {
    fallback: '',
    meaning: 'PEM file of the certificate and its chain: every port then speaks TLS',
    read: setting.file,
  },
  ROLLCALL_TLS_KEY: {
    fallback: '',
    meaning: "PEM file of the certificate's private key",
    read: setting.file,
  },
  ROLLCALL_TLS_CLIENT_CA: {
    fallback: '',
    meaning: 'PEM file of authorities: senders of OTLP must show a certificate of one of them',
    read: setting.file,
  },
  ROLLCALL_CORS_ORIGINS: {
    fallback: 'none',
    meaning: 'origins of pages that may send OTLP over HTTP: list, * for any characters, or none',
    read: setting.list(setting.origin),
  },
  ROLLCALL_RESPONSE_HEADERS: {
    fallback: 'none',
    meaning:
      'headers of every answer over HTTP: name=value list, values percent-encoded where they hold a comma',
    read: setting.responseHeaders,
  },
  ROLLCALL_LOG: {
    fallback: 'info',
    meaning: 'least level that is logged: trace, debug, info, warn, error, fatal or silent',
    read: setting.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
} satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;

/** What Kubernetes puts into every pod beside a service whose name begins with rollcall. */
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
    auth: get('ROLLCALL_AUTH') ?? (setting.isLoopback(host) ? 'off' : 'keys'),
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
    excludeMethods: get('ROLLCALL_EXCLUDE_METHODS'),
    excludeRoutes: get('ROLLCALL_EXCLUDE_ROUTES'),
    excludeLatency: get('ROLLCALL_EXCLUDE_LATENCY'),
    rpc: get('ROLLCALL_RPC') === 'on',
    samplingFactors: get('ROLLCALL_SAMPLING_FACTORS'),
    maxBodyBytes: get('ROLLCALL_MAX_BODY_MIB') * 2 ** 20,
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

type ValueOf<N extends VariableName> = ReturnType<(typeof variables)[N]['read']>;

/** Adds a mistake and returns the fallback's value when the text cannot be read: the caller reads on. */
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
    if (!(error instanceof setting.InvalidValue)) throw error;
    mistakes.push(`${shown(name, text)} ${error.message}`);
    return variable.read(variable.fallback) as ValueOf<N>;
  }
}

/** Mistakes that only two values together make; looked for when each alone is right. */
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
  const days = `ROLLCALL_RETAIN_DAYS=${setting.durationText(daysS)}`;
  const hours = `ROLLCALL_RETAIN_HOURS=${setting.durationText(hoursS)}`;
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

/** Variables that look like ours and are not. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const found: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('ROLLCALL_') || name in variables) continue;
    if (!serviceLink.test(name)) {
      found.push(
        `${name} is no variable of Rollcall; there are ${Object.keys(variables).join(', ')}`,
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
