import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Name and version of a package.json; a field that is missing or no text is undefined. */
export interface AppPackage {
  name: string | undefined;
  version: string | undefined;
}

/**
 * Programs in node_modules that run the code of the project they are started in. Any other program there
 * (`npx verdaccio`, a global `node-red`) is an application of its own.
 */
const runners = new Set([
  ...['next', 'nuxt', 'nuxi', '@nuxt/cli', 'nitropack', 'astro', 'vite', 'gatsby', 'parcel'],
  ...['@remix-run/serve', '@remix-run/dev', '@react-router/serve', '@react-router/dev'],
  ...[
    '@nestjs/cli',
    '@adonisjs/assembler',
    'sails',
    '@strapi/strapi',
    '@keystone-6/core',
    'medusa',
  ],
  ...[
    '@medusajs/cli',
    '@medusajs/medusa',
    '@redwoodjs/cli',
    '@redwoodjs/api-server',
    'fastify-cli',
  ],
  ...['@loopback/cli', '@feathersjs/cli', '@google-cloud/functions-framework', 'serverless'],
  ...[
    'serverless-offline',
    'firebase-tools',
    'wrangler',
    'netlify-cli',
    'vercel',
    'probot',
    'micro',
  ],
  ...[
    'tsx',
    'ts-node',
    'ts-node-dev',
    'tsimp',
    '@swc-node/register',
    '@babel/node',
    'esbuild-runner',
  ],
  ...['nodemon', 'pm2', 'forever', 'dotenv-cli', '@dotenvx/dotenvx', 'cross-env', 'concurrently'],
  ...[
    'npm',
    'yarn',
    'pnpm',
    'npm-run-all',
    'turbo',
    'nx',
    'lerna',
    'mocha',
    'jest',
    'vitest',
    'ava',
  ],
]);

/**
 * The package.json with a name that is nearest to the app's entry. For a runner in node_modules it is the one
 * nearest to the working directory.
 * @param entry `process.argv[1]`
 */
export function appPackage(entry: string | undefined, workingDirectory: string): AppPackage {
  if (entry === undefined || entry === '') return nearest(workingDirectory);
  const path = realPath(resolve(workingDirectory, entry));
  const found = nearest(dirname(path));
  const isInstalled = /[\\/]node_modules[\\/]/.test(path);
  return isInstalled && (found.name === undefined || runners.has(found.name))
    ? nearest(workingDirectory)
    : found;
}

function nearest(start: string): AppPackage {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = read(join(folder, 'package.json'));
    if (found?.name !== undefined) return found;
    if (dirname(folder) === folder) return { name: undefined, version: undefined };
  }
}

function read(path: string): AppPackage | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return { name: text(name), version: text(version) };
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
