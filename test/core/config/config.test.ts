import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../core/config/config.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { variables } from '../../../core/config/variables.ts';
import { AppError } from '../../../core/error.ts';

/** The message of the one error that an environment's mistakes make. */
function mistakesOf(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid');
    return (error as AppError).message;
  }
  throw new Error(`no mistake was found in ${JSON.stringify(env)}`);
}

describe('readConfig', () => {
  it('answers the documented defaults for an empty environment', () => {
    expect(readConfig({ PATH: '/bin' })).toEqual({
      store: { engine: 'sqlite', path: 'data/rollcall.db' },
      host: '127.0.0.1',
      otlpHttpPort: 4318,
      otlpGrpcPort: 4317,
      grpcConnectionAgeS: undefined,
      analyzerPort: 4380,
      basePath: '',
      traceUrl: undefined,
      auth: 'off',
      allowedHosts: [],
      adminKey: undefined,
      coldAfterDays: 7,
      deadAfterDays: 30,
      retention: defaultRetention,
      trustedProxies: ['private'],
      clientPrivacy: 'full',
      consumerAttributes: ['enduser.id', 'user.id'],
      ignoreConsumers: [],
      ownerAttributes: ['service.owner'],
      ownersPath: undefined,
      excludeMethods: ['OPTIONS'],
      excludeRoutes: [],
      excludeLatency: { upgrades: true, streams: true, longerThanNs: Number.POSITIVE_INFINITY },
      rpc: false,
      samplingFactors: new Map(),
      maxBodyBytes: 64 * 1024 * 1024,
      // Of the machine or container that the test runs in.
      memoryBytes: expect.any(Number),
      tls: undefined,
      corsOrigins: [],
      responseHeaders: [],
      logLevel: 'info',
    });
  });

  it('takes an empty or blank variable for an unset one', () => {
    const blank = Object.fromEntries(Object.keys(variables).map((name) => [name, ' ']));
    expect(readConfig({ ...blank, ROLLCALL_TLS_CERT: '' })).toEqual(readConfig({}));
  });

  it('reads every variable', () => {
    const config = readConfig({
      ROLLCALL_STORE: 'sqlite:/var/lib/rollcall/calls.db',
      ROLLCALL_HOST: '0.0.0.0',
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_OTLP_GRPC_PORT: '14317',
      ROLLCALL_GRPC_CONNECTION_AGE: '30m',
      ROLLCALL_ANALYZER_PORT: '65535',
      ROLLCALL_AUTH: 'keys',
      ROLLCALL_ADMIN_KEY: 'a-secret-of-thirty-two-characters',
      ROLLCALL_COLD_AFTER_DAYS: '14',
      ROLLCALL_DEAD_AFTER_DAYS: '14',
      ROLLCALL_RETAIN_CALLS: '36h',
      ROLLCALL_RETAIN_MINUTES: '90m',
      ROLLCALL_RETAIN_HOURS: '30d',
      ROLLCALL_RETAIN_DAYS: '2592000s',
      ROLLCALL_TRUSTED_PROXIES: 'private, 203.0.113.7,2001:db8::/32',
      ROLLCALL_CLIENT_PRIVACY: 'hash',
      ROLLCALL_ALLOWED_HOSTS: 'Rollcall.example, my_box',
      ROLLCALL_TLS_CERT: '/etc/tls/tls.crt',
      ROLLCALL_TLS_KEY: '/etc/tls/tls.key',
      ROLLCALL_TLS_CLIENT_CA: '/etc/tls/ca.crt',
      ROLLCALL_RESPONSE_HEADERS: 'X-Frame-Options=DENY, x-note=a%2C%20b',
      ROLLCALL_CORS_ORIGINS: 'https://App.example.com, https://*.example.com:8443',
      ROLLCALL_CONSUMER_ATTRIBUTES: 'app.key.name',
      ROLLCALL_IGNORE_CONSUMERS: 'synthetic-*, k6',
      ROLLCALL_OWNER_ATTRIBUTES: 'team,service.owner',
      ROLLCALL_OWNERS: '/etc/rollcall/OWNERS',
      ROLLCALL_EXCLUDE_METHODS: 'options,head,OPTIONS',
      ROLLCALL_EXCLUDE_ROUTES: '/health*,*/metrics',
      ROLLCALL_EXCLUDE_LATENCY: '5m, upgrades,1h',
      ROLLCALL_RPC: 'on',
      ROLLCALL_SAMPLING_FACTORS: 'shop=10, check=out eu = 2.5',
      ROLLCALL_MAX_BODY_MIB: '8',
      ROLLCALL_MEMORY_MIB: '1024',
      ROLLCALL_BASE_PATH: '/tools/rollcall/',
      ROLLCALL_TRACE_URL: 'https://jaeger.example/trace/{trace_id}?uiFind=1',
      ROLLCALL_LOG: 'silent',
    });
    expect(config).toEqual({
      store: { engine: 'sqlite', path: '/var/lib/rollcall/calls.db' },
      host: '0.0.0.0',
      otlpHttpPort: 0,
      otlpGrpcPort: 14317,
      grpcConnectionAgeS: 1800,
      analyzerPort: 65535,
      basePath: '/tools/rollcall',
      traceUrl: 'https://jaeger.example/trace/{trace_id}?uiFind=1',
      auth: 'keys',
      allowedHosts: ['rollcall.example', 'my_box'],
      adminKey: 'a-secret-of-thirty-two-characters',
      coldAfterDays: 14,
      deadAfterDays: 14,
      retention: {
        callsS: 36 * 3600,
        minutesS: 90 * 60,
        hoursS: 30 * 86_400,
        daysS: 30 * 86_400,
      },
      trustedProxies: ['private', '203.0.113.7/32', '2001:db8::/32'],
      clientPrivacy: 'hash',
      consumerAttributes: ['app.key.name'],
      ignoreConsumers: ['synthetic-*', 'k6'],
      ownerAttributes: ['team', 'service.owner'],
      ownersPath: '/etc/rollcall/OWNERS',
      excludeMethods: ['OPTIONS', 'HEAD'],
      excludeRoutes: ['/health*', '*/metrics'],
      excludeLatency: { upgrades: true, streams: false, longerThanNs: 300e9 },
      rpc: true,
      samplingFactors: new Map([
        ['shop', 10],
        ['check=out eu', 2.5],
      ]),
      maxBodyBytes: 8 * 1024 * 1024,
      memoryBytes: 1024 * 1024 * 1024,
      tls: {
        certPath: '/etc/tls/tls.crt',
        keyPath: '/etc/tls/tls.key',
        clientCaPath: '/etc/tls/ca.crt',
      },
      corsOrigins: ['https://app.example.com', 'https://*.example.com:8443'],
      responseHeaders: [
        ['x-frame-options', 'DENY'],
        ['x-note', 'a, b'],
      ],
      logLevel: 'silent',
    });
  });

  it('reports all mistakes at once, each with variable, value and what is allowed', () => {
    const message = mistakesOf({
      ROLLCALL_OTLP_HTTP_PORT: '70000',
      ROLLCALL_RETAIN_CALLS: '3 days',
      ROLLCALL_TRUSTED_PROXIES: '10.0.0.0/33',
      ROLLCALL_LOG: 'verbose',
      ROLLCALL_PROT: '1',
    });
    const lines = message.split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe('5 mistakes in the configuration:');
    expect(message).toContain(
      'ROLLCALL_OTLP_HTTP_PORT=70000 must be a whole number from 0 to 65535',
    );
    expect(message).toContain('ROLLCALL_RETAIN_CALLS=3 days must be a duration such as 90s');
    expect(message).toContain('ROLLCALL_TRUSTED_PROXIES=10.0.0.0/33 holds "10.0.0.0/33"');
    expect(message).toContain('ROLLCALL_LOG=verbose must be one of trace, debug');
    expect(message).toContain(
      'ROLLCALL_PROT is not a variable of Rollcall; it reads ROLLCALL_STORE',
    );
  });

  it('refuses a cluster of ClickHouse with the reason, and not as a variable that is misspelt', () => {
    const message = mistakesOf({ ROLLCALL_CLICKHOUSE_CLUSTER: 'main' });
    expect(message).toMatch(
      /ROLLCALL_CLICKHOUSE_CLUSTER is not supported: .* one ClickHouse server/,
    );
    expect(readConfig({ ROLLCALL_CLICKHOUSE_CLUSTER: '' }).store.engine).toBe('sqlite');
  });

  it.each([
    ['ROLLCALL_STORE', 'clickhouse:/db/rollcall', 'the name of a database'],
    ['ROLLCALL_STORE', 'clickhouse://u:secret@db:8123/roll-call', 'the name of a database'],
    ['ROLLCALL_STORE', 'clickhouse://db/rollcall?max_threads=1', 'the name of a database'],
    ['ROLLCALL_STORE', 'data/rollcall.db', 'must be sqlite:'],
    ['ROLLCALL_STORE', 'sqlite:', 'must be sqlite:'],
    ['ROLLCALL_STORE', 'sqlite::memory:', 'share a file'],
    ['ROLLCALL_STORE', 'sqlite:file:x.db?mode=memory', 'a plain path'],
    ['ROLLCALL_STORE', 'sqlite:x.db?mode=memory', 'a plain path'],
    ['ROLLCALL_STORE', 'sqlite://host/x.db', 'a plain path'],
    ['ROLLCALL_STORE', 'sqlite:~/x.db', 'a plain path'],
    ['ROLLCALL_STORE', 'sqlite: x.db', 'a plain path'],
    ['ROLLCALL_HOST', '300.1.1.1', 'must be an IP address or a host name'],
    ['ROLLCALL_HOST', '127.0.0.1:4318', 'without a port'],
    ['ROLLCALL_OTLP_HTTP_PORT', '-1', 'from 0 to 65535'],
    ['ROLLCALL_OTLP_GRPC_PORT', '4317.5', 'from 0 to 65535'],
    ['ROLLCALL_GRPC_CONNECTION_AGE', '500ms', 'must be a duration'],
    ['ROLLCALL_ANALYZER_PORT', 'tcp://10.0.0.1:4380', 'enableServiceLinks'],
    ['ROLLCALL_TRACE_URL', 'https://jaeger.example/trace/', 'must contain {trace_id}'],
    ['ROLLCALL_TRACE_URL', 'javascript:alert({trace_id})', 'must be an http or https URL'],
    ['ROLLCALL_TRACE_URL', '//jaeger.example/{trace_id}', 'must be an http or https URL'],
    ['ROLLCALL_TRACE_URL', 'https://{trace_id}.e/"><b>', 'must be an http or https URL'],
    ['ROLLCALL_BASE_PATH', 'rollcall', 'must be / or a path such as /rollcall'],
    ['ROLLCALL_BASE_PATH', '/tools/../rollcall', 'must be / or a path such as /rollcall'],
    ['ROLLCALL_BASE_PATH', '/api', "begins like the analyzer's own paths: api, assets"],
    ['ROLLCALL_AUTH', 'on', 'must be one of off, keys'],
    ['ROLLCALL_COLD_AFTER_DAYS', '0', 'from 1 to 3660'],
    ['ROLLCALL_DEAD_AFTER_DAYS', '1e2', 'from 1 to 3660'],
    ['ROLLCALL_RETAIN_MINUTES', '59m', 'from 1h to 3660d'],
    ['ROLLCALL_RETAIN_DAYS', '99999d', 'from 1d to 3660d'],
    ['ROLLCALL_TRUSTED_PROXIES', '10/8', 'holds "10/8"'],
    ['ROLLCALL_TRUSTED_PROXIES', 'private,none', 'holds "none"'],
    ['ROLLCALL_TRUSTED_PROXIES', 'fe80::1%eth0', 'holds "fe80::1%eth0"'],
    ['ROLLCALL_TRUSTED_PROXIES', '2001:db8::/129', 'holds "2001:db8::/129"'],
    ['ROLLCALL_TRUSTED_PROXIES', '10.0.0.0/8/8', 'holds "10.0.0.0/8/8"'],
    ['ROLLCALL_CONSUMER_ATTRIBUTES', 'enduser.id,,user.id', 'holds ""'],
    ['ROLLCALL_EXCLUDE_METHODS', 'GET POST', 'holds "GET POST"'],
    ['ROLLCALL_EXCLUDE_ROUTES', 'health', 'holds "health"'],
    ['ROLLCALL_EXCLUDE_LATENCY', '2d', 'each item must be upgrades, streams or a duration'],
    ['ROLLCALL_RPC', 'yes', 'must be one of off, on'],
    ['ROLLCALL_SAMPLING_FACTORS', 'shop', 'holds "shop"; each item must be a service'],
    ['ROLLCALL_SAMPLING_FACTORS', 'shop=0.5', 'a number from 1 to 1048576'],
    ['ROLLCALL_SAMPLING_FACTORS', 'shop=1048577', 'a number from 1 to 1048576'],
    ['ROLLCALL_SAMPLING_FACTORS', '=2', 'holds "=2"'],
    ['ROLLCALL_SAMPLING_FACTORS', 'shop=2,shop=3', 'names the service "shop" twice'],
    ['ROLLCALL_MAX_BODY_MIB', '0', 'from 1 to 1024'],
    ['ROLLCALL_MEMORY_MIB', '511', 'from 512 to 65536'],
    ['ROLLCALL_RESPONSE_HEADERS', 'x-a', 'must be a header such as'],
    ['ROLLCALL_RESPONSE_HEADERS', 'x-a=%zz', 'must be a header such as'],
    ['ROLLCALL_RESPONSE_HEADERS', 'x-a=a%0d%0ab', 'must be a header such as'],
    ['ROLLCALL_RESPONSE_HEADERS', 'Content-Type=text/html', 'Rollcall sets itself'],
    ['ROLLCALL_TLS_CERT', 'cert.pem', 'needs ROLLCALL_TLS_CERT and'],
    ['ROLLCALL_ADMIN_KEY', 'too-short', 'has 9 characters; it must be 32 to 256'],
    ['ROLLCALL_ADMIN_KEY', `${'a'.repeat(40)} b`, 'visible characters'],
    ['ROLLCALL_ADMIN_KEY', 'a'.repeat(257), 'has 257 characters'],
  ])('refuses %s=%s and says why', (name, value, why) => {
    const message = mistakesOf({ [name]: value });
    expect(message.split('\n')).toHaveLength(2);
    expect(message).toContain(name);
    expect(message).toContain(why);
  });

  it('never repeats a password', () => {
    expect(mistakesOf({ ROLLCALL_STORE: 'clickhouse://u:secret@db/a/b' })).not.toContain('secret');
    expect(mistakesOf({ ROLLCALL_ADMIN_KEY: 'secret' })).not.toContain('secret');
    const inert = mistakesOf({ ROLLCALL_ADMIN_KEY: 'secret'.repeat(6) });
    expect(inert).toContain('authentication is off');
    expect(inert).not.toContain('secretsecret');
  });

  it('refuses values that disagree', () => {
    expect(mistakesOf({ ROLLCALL_COLD_AFTER_DAYS: '31' })).toContain(
      'ROLLCALL_DEAD_AFTER_DAYS=30 is less than ROLLCALL_COLD_AFTER_DAYS=31',
    );
    expect(mistakesOf({ ROLLCALL_RETAIN_MINUTES: '91d' })).toContain(
      'ROLLCALL_RETAIN_MINUTES=91d is longer than ROLLCALL_RETAIN_HOURS=90d',
    );
    expect(mistakesOf({ ROLLCALL_RETAIN_DAYS: '60d' })).toContain(
      'ROLLCALL_RETAIN_HOURS=90d is longer than ROLLCALL_RETAIN_DAYS=60d',
    );
    expect(mistakesOf({ ROLLCALL_ANALYZER_PORT: '4318' })).toContain(
      'ROLLCALL_ANALYZER_PORT=4318 is also ROLLCALL_OTLP_HTTP_PORT',
    );
    expect(mistakesOf({ ROLLCALL_OTLP_HTTP_PORT: '4317' })).toContain(
      'ROLLCALL_OTLP_GRPC_PORT=4317 is also ROLLCALL_OTLP_HTTP_PORT',
    );
    expect(mistakesOf({ ROLLCALL_ANALYZER_PORT: '4317' })).toContain(
      'ROLLCALL_ANALYZER_PORT=4317 is also ROLLCALL_OTLP_GRPC_PORT',
    );
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'rollcall.example'])(
    'asks for keys on %s unless ROLLCALL_AUTH=off says so',
    (host) => {
      expect(readConfig({ ROLLCALL_HOST: host })).toMatchObject({ host, auth: 'keys' });
      const open = readConfig({ ROLLCALL_HOST: host, ROLLCALL_AUTH: 'off' });
      expect(open).toMatchObject({ host, auth: 'off' });
    },
  );

  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost'])(
    'asks for no keys on the loopback address %s, unless told',
    (host) => {
      expect(readConfig({ ROLLCALL_HOST: host })).toMatchObject({ host, auth: 'off' });
      expect(readConfig({ ROLLCALL_HOST: host, ROLLCALL_AUTH: 'keys' }).auth).toBe('keys');
    },
  );

  it('ignores what Kubernetes puts beside a service called rollcall', () => {
    const links = {
      ROLLCALL_PORT: 'tcp://10.0.0.1:4318',
      ROLLCALL_SERVICE_HOST: '10.0.0.1',
      ROLLCALL_SERVICE_PORT: '4318',
      ROLLCALL_SERVICE_PORT_OTLP_HTTP: '4318',
      ROLLCALL_PORT_4318_TCP: 'tcp://10.0.0.1:4318',
      ROLLCALL_PORT_4318_TCP_ADDR: '10.0.0.1',
      ROLLCALL_COLLECTOR_SERVICE_HOST: '10.0.0.1',
    };
    expect(readConfig(links)).toEqual(readConfig({}));
  });

  it.each([
    { ROLLCALL_TLS_CERT: '/a.crt' },
    { ROLLCALL_TLS_KEY: '/a.key' },
    { ROLLCALL_TLS_CLIENT_CA: '/ca.crt' },
    { ROLLCALL_TLS_CERT: '/a.crt', ROLLCALL_TLS_CLIENT_CA: '/ca.crt' },
  ])('A1 asks for certificate and key together: %o', (env) => {
    for (const [name, path] of Object.entries(env)) {
      expect(mistakesOf(env)).toContain(
        `${name}=${path} needs ROLLCALL_TLS_CERT and ROLLCALL_TLS_KEY, both of them`,
      );
    }
  });
});
