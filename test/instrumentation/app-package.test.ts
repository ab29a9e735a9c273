import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';
import { startApp } from './app.ts';
import { startSink } from './sink.ts';
import { installed } from './workshop.ts';

const built = createRequire(new URL('../../instrumentation/dist/index.js', import.meta.url));
const { appPackage } = built('./app-package.js') as {
  appPackage(entry: string | undefined, workingDirectory: string): object;
};

describe('the package that a service is named after', () => {
  const disk = temporaryFolder();
  const write = (path: string, content: object | string = '') => {
    const file = join(disk.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  };
  beforeAll(() => {
    write('shop/package.json', { name: 'shop', version: '1.2.3' });
    write('shop/src/package.json', { type: 'module' });
    write('shop/src/main.js');
    for (const [name, version] of [
      ['verdaccio', '6.1.0'],
      ['next', '15.0.0'],
      ['@nestjs/cli', '11.0.0'],
    ]) {
      write(`shop/node_modules/${name}/package.json`, { name, version });
      write(`shop/node_modules/${name}/bin/cli.js`);
    }
    mkdirSync(join(disk.path, 'shop/node_modules/.bin'));
    symlinkSync('../verdaccio/bin/cli.js', join(disk.path, 'shop/node_modules/.bin/verdaccio'));
    write('lib/node_modules/node-red/package.json', { name: 'node-red', version: '4.0.0' });
    write('lib/node_modules/node-red/red.js');
    write('nameless/package.json', { private: true });
    write('nameless/app.js');
    write('broken/package.json', '{');
  });
  afterAll(() => disk.remove());

  const shop = { name: 'shop', version: '1.2.3' };
  it.each([
    ['an entry of the project', 'shop/src/main.js', '', shop],
    ['an entry relative to the working directory', 'src/main.js', 'shop', shop],
    ['no entry', undefined, 'shop/src', shop],
    [
      'a program of node_modules',
      'shop/node_modules/verdaccio/bin/cli.js',
      'shop',
      {
        name: 'verdaccio',
        version: '6.1.0',
      },
    ],
    [
      'its link in .bin',
      'node_modules/.bin/verdaccio',
      'shop',
      {
        name: 'verdaccio',
        version: '6.1.0',
      },
    ],
    [
      'a global program',
      'lib/node_modules/node-red/red.js',
      'shop',
      {
        name: 'node-red',
        version: '4.0.0',
      },
    ],
    ['a runner of the project', 'shop/node_modules/next/bin/cli.js', 'shop', shop],
    ['a runner with a scope', 'shop/node_modules/@nestjs/cli/bin/cli.js', 'shop/src', shop],
    ['a file that is not there', 'shop/dist/main', 'lib', shop],
  ] as const)('%s', (_, entry, folder, expected) => {
    const isWhole = entry !== undefined && /^(?:shop|lib)\//.test(entry);
    const given = isWhole ? join(disk.path, entry) : entry;
    expect(appPackage(given, join(disk.path, folder))).toEqual(expected);
  });

  it('a package.json without a name, or that is no JSON, names nothing', () => {
    for (const folder of ['nameless', 'broken']) {
      expect(appPackage(join(disk.path, folder, 'app.js'), '/')).not.toMatchObject({
        name: 'shop',
      });
    }
  });
});

it('--import by its path works from any working directory, and names the service by its own package', async () => {
  const folder = await installed('elsewhere', { express: '5.2.1' });
  const sink = await startSink();
  const register = `${folder}/node_modules/@rollcall/instrumentation/dist/register.mjs`;
  const app = await startApp('/', [process.execPath, '--import', register, `${folder}/app.mjs`], {
    ROLLCALL_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  try {
    await fetch(`${app.url}/users/5`);
    const [span] = await sink.servers(1);
    expect(span!.attributes['http.route']).toBe('/users/:id');
    expect(span!.resource).toMatchObject({ 'service.name': 'installed-app' });
  } finally {
    await app.stop('SIGKILL');
    await sink.close();
  }
});
