import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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
