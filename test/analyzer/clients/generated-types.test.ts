import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectCommands } from '../../../analyzer/api/project-commands.ts';
import { queries } from '../../../analyzer/api/queries.ts';
import { commands } from '../../../analyzer/tenancy/commands.ts';
import { type Authorizer, authorizerOf } from '../../../core/auth/authorizer.ts';
import { openSqliteConsumers } from '../../../core/store/sqlite/annotations/consumers.ts';
import { openSqliteEvents } from '../../../core/store/sqlite/annotations/events.ts';
import { openSqliteDecisions } from '../../../core/store/sqlite/decisions.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteKeys } from '../../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../../support/process.ts';
import {
  call,
  dayMs,
  hourMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const adminKey = 'the-operator-has-chosen-this-one-well';
const calls = [
  ...repeat(30, (n) =>
    call({
      status: [200, 404, 503][n % 3]!,
      endMs: nowMs - n * minuteMs,
      client: `10.0.0.${n % 9}`,
    }),
  ),
  // Of a service of its own: a service that is sampled now has no dead endpoints of before.
  ...repeat(5, () => call({ service: 'queue', route: '/sampled', weight: 4 })),
  call({ service: 'mail', environment: '', endMs: nowMs - hourMs, version: '', client: '' }),
  call({ route: '/dead', endMs: nowMs - 40 * dayMs, consumer: 'carmen' }),
];

let folder: ReturnType<typeof temporaryFolder>;
let door: ListenOptions;
let close: () => Promise<void>;
beforeAll(async () => {
  folder = temporaryFolder();
  const keys = await openSqliteKeys(join(folder.path, 'keys.db'));
  const authorizer = authorizerOf({ auth: 'keys', adminKey, keys: async () => keys });
  // The operator's key belongs to no project: reports are those of the one project.
  const open: Authorizer = {
    project: async () => 'default',
    administrator: (credentials) => authorizer.administrator(credentials),
    close: () => authorizer.close(),
  };
  const inventories = await openSqliteInventories(join(folder.path, 'keys.db'));
  const decisions = await openSqliteDecisions(join(folder.path, 'keys.db'));
  const consumers = await openSqliteConsumers(join(folder.path, 'keys.db'));
  const events = await openSqliteEvents(join(folder.path, 'keys.db'));
  const tenancy = { authorizer: open, keys: async () => keys };
  const endpoints = {
    forgetEndpoint: async () => true,
    forgetService: async () => 1,
    close: async () => {},
  };
  const stores = { inventories, decisions, consumers, events, endpoints };
  door = await openDoor(oracleReader(calls), nowMs, tenancy, undefined, stores);
  close = async () => {
    await door.close();
    await authorizer.close();
    await keys.close();
    await inventories.close();
    await decisions.close();
    await consumers.close();
    await events.close();
    folder.remove();
  };
});
afterAll(() => close());

test('types generated from the OpenAPI document read every answer under strict checks', async () => {
  const document = join(folder.path, 'openapi.json');
  writeFileSync(document, JSON.stringify(await door.get('/openapi.json')));
  const source = join(folder.path, 'client');
  mkdirSync(source);
  const generator = fileURLToPath(new URL('generate.ts', import.meta.url));
  await run(process.execPath, [generator, document, join(source, 'api.ts')]);
  copyFileSync(new URL('client.ts.txt', import.meta.url), join(source, 'client.ts'));
  writeFileSync(join(source, 'package.json'), '{"type":"module"}');
  writeFileSync(join(source, 'tsconfig.json'), JSON.stringify(strictest));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const compiled = await run(process.execPath, [compiler, '-p', source]).catch(
    (error: { stdout: string }) => error,
  );
  expect(compiled.stdout).toBe('');
  const { stdout } = await run(process.execPath, [
    join(source, 'client.ts'),
    `${door.url}/api/v1`,
    adminKey,
  ]);
  const operations = [...queries, ...commands, ...projectCommands];
  // Read twice: the report, whole rows and some fields; calls, a page and what came later; a comparison, of windows
  // and of versions.
  const answering = operations.filter(({ schema }) => schema !== undefined).length;
  expect(stdout).toBe(`${answering + 3} answers read\n`);
});

const strictest = {
  compilerOptions: {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noPropertyAccessFromIndexSignature: true,
    noUnusedLocals: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    module: 'nodenext',
    target: 'esnext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  },
};
