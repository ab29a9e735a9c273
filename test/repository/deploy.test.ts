import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { variables } from '../../core/config/variables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compose = readFileSync(`${root}/docker-compose.yml`, 'utf8');

/** Fixed by the image and by compose's own ports. */
const elsewhere = [
  'ROLLCALL_STORE',
  'ROLLCALL_HOST',
  'ROLLCALL_OTLP_HTTP_PORT',
  'ROLLCALL_OTLP_GRPC_PORT',
  'ROLLCALL_ANALYZER_PORT',
];

describe('docker-compose.yml', () => {
  it('hands on every variable that can be set', () => {
    const block = /^x-environment:.*\n((?: {2}.*\n)+)/m.exec(compose)![1]!;
    const named = Array.from(block.matchAll(/^ {2}(ROLLCALL_\w+):/gm), ([, name]) => name!);
    const expected = Object.keys(variables).filter((name) => !elsewhere.includes(name));
    expect(named.toSorted()).toEqual(expected.toSorted());
  });

  it('bounds memory, processes and descriptors of each service', () => {
    const block = /^x-service:.*\n((?: {2}.*\n)+)/m.exec(compose)![1]!;
    expect(block).toMatch(/^ {2}mem_limit: 768m$/m);
    expect(block).toMatch(/^ {2}pids_limit: 128$/m);
    expect(block).toMatch(/^ {2}ulimits: \{ nofile: 8192 \}$/m);
  });

  it('runs and mounts only what is there', () => {
    const paths = [
      ...Array.from(compose.matchAll(/entrypoint: \[node, (.+)\]/g), ([, path]) => path!),
      ...Array.from(compose.matchAll(/^ {6}- \.\/([^:]+):/gm), ([, path]) => path!),
    ];
    expect(paths).toContain('docs/deploy/otelcol.yaml');
    expect(paths.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
  });
});

describe('the profile clickhouse', () => {
  const { services } = load(compose, { schema: YAML11_SCHEMA }) as {
    services: Record<string, { profiles?: string[]; image?: string; environment?: object }>;
  };

  it('is a server, two collectors, two analyzers and a load balancer, all on one store', () => {
    const own = Object.entries(services).filter(([, { profiles }]) =>
      profiles?.includes('clickhouse'),
    );
    expect(own.map(([name]) => name).toSorted()).toEqual([
      ...['analyzer-a', 'analyzer-b', 'balancer', 'clickhouse', 'collector-a', 'collector-b'],
    ]);
    const stores = ['collector-a', 'collector-b', 'analyzer-a', 'analyzer-b'].map((name) => {
      const { ROLLCALL_STORE } = services[name]!.environment as { ROLLCALL_STORE: string };
      return ROLLCALL_STORE;
    });
    expect(new Set(stores).size).toBe(1);
    expect(stores[0]).toMatch(/^clickhouse:\/\/rollcall:.*@clickhouse:8123\/rollcall$/);
  });

  it('names a version of each image, and nginx hands on to services that are there', () => {
    expect(services.clickhouse!.image).toMatch(/^\$\{CLICKHOUSE_IMAGE:-[\w./-]+:\d+\.\d+\}$/);
    expect(services.balancer!.image).toMatch(/^\$\{BALANCER_IMAGE:-nginx:[\d.]+-alpine\}$/);
    const nginx = readFileSync(`${root}/docs/deploy/nginx.conf`, 'utf8');
    const hosts = Array.from(nginx.matchAll(/^ +server ([\w-]+):(\d+)/gm), ([, host, port]) => {
      return `${host}:${port}`;
    });
    expect(hosts).toEqual([
      ...['collector-a:4318', 'collector-b:4318', 'collector-a:4317', 'collector-b:4317'],
      ...['analyzer-a:4380', 'analyzer-b:4380'],
    ]);
    for (const host of hosts) expect(Object.keys(services)).toContain(host.split(':')[0]);
  });
});

describe('Dockerfile', () => {
  it('every stage is from the base that a build may pin, and compose passes it on', () => {
    const dockerfile = readFileSync(`${root}/Dockerfile`, 'utf8');
    const bases = Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, base]) => base);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an argument of the Dockerfile
    expect(new Set(bases)).toEqual(new Set(['${BASE}']));
    const [, base] = /^ARG BASE=(\S+)$/m.exec(dockerfile)!;
    const compose = readFileSync(`${root}/docker-compose.yml`, 'utf8');
    expect(compose).toContain(`args: { BASE: "\${BASE_IMAGE:-${base}}" }`);
  });

  it('copies only what is there, and .dockerignore lets it', () => {
    const dockerfile = readFileSync(`${root}/Dockerfile`, 'utf8');
    const allowed = readFileSync(`${root}/.dockerignore`, 'utf8');
    const copied = Array.from(dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm), ([, names]) =>
      names!.split(' '),
    ).flat();
    expect(copied).toContain('package-lock.json');
    for (const name of copied) {
      expect(existsSync(`${root}/${name}`), name).toBe(true);
      expect(allowed.split('\n'), name).toContain(`!${name}`);
    }
  });
});
