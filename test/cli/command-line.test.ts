import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { variables } from '../../core/config/variables.ts';
import { launchCommand, runToEnd } from '../support/process.ts';

const rollcall = (args: string[], env: Record<string, string> = {}) =>
  runToEnd('cli/rollcall.mjs', env, args);

it('explains itself, with a flag for every variable', async () => {
  for (const args of [['help'], ['--help'], ['-h'], ['keys', 'create', '--help']]) {
    const { code, output } = await rollcall(args);
    expect(code).toBe(0);
    for (const name of Object.keys(variables)) {
      // A secret has no flag.
      if (name === 'ROLLCALL_ADMIN_KEY') {
        expect(output).toMatch(/^ {2}ROLLCALL_ADMIN_KEY /m);
        continue;
      }
      const flag = name.replace('ROLLCALL_', '--').toLowerCase().replaceAll('_', '-');
      expect(output).toMatch(new RegExp(`^  ${flag} `, 'm'));
    }
  }
});

it('prints the version of package.json', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  for (const args of [['version'], ['--version']]) {
    expect(await rollcall(args)).toMatchObject({ code: 0, output: `${version}\n` });
  }
});

it.each([
  [[], 'no command given'],
  [['srve'], 'no command "srve"'],
  [['serve', '--otlp-port', '1'], '--otlp-port'],
  [['serve', '--host'], '--host'],
  [['serve', 'now'], 'now'],
  [['collector', '--seed', '1'], '--seed'],
  [['demo', '--seed', '-1x'], '--seed'],
  [['demo', '--seed', 'x'], '--seed x must be a whole number'],
])('refuses the command line %j with exit code 2', async (args, why) => {
  const { code, output } = await rollcall(args);
  expect(output).toContain(why);
  expect(output.trim().split('\n').at(-1)).toContain('see rollcall help');
  expect(code).toBe(2);
});

it.each(['serve', 'collector', 'analyzer', 'demo'])(
  '%s reports every mistake of the configuration once, and starts nothing',
  async (command) => {
    const env = { ROLLCALL_COLD_AFTER_DAYS: 'soon', ROLLCALL_HOTS: 'x', ROLLCALL_STORE: '' };
    const { code, output } = await rollcall([command, '--log', 'loud'], env);
    expect(output.split('\n')).toEqual([
      'rollcall: 3 mistakes in the configuration:',
      expect.stringContaining('ROLLCALL_HOTS is not a variable of Rollcall'),
      expect.stringContaining('ROLLCALL_COLD_AFTER_DAYS=soon must be a whole number'),
      expect.stringContaining('ROLLCALL_LOG=loud must be one of'),
      '',
    ]);
    expect(code).toBe(1);
  },
);

it('a data folder that cannot be made is named', async () => {
  const { code, output } = await rollcall(['serve', '--store', 'sqlite:package.json/x/y.db']);
  expect(output).toMatch(/cannot make the data folder "package\.json\/x": .*\n$/);
  expect(code).toBe(1);
});

it('a secret is not taken as a flag: every user of the host can read it', async () => {
  for (const args of [['--admin-key', 'x'.repeat(40)], [`--admin-key=${'x'.repeat(40)}`]]) {
    const { code, output } = await rollcall(['analyzer', ...args]);
    expect(output).toBe(
      'rollcall: --admin-key is not taken on a command line: set ROLLCALL_ADMIN_KEY; see rollcall help\n',
    );
    expect(code).toBe(2);
  }
});

it.each(['20.20.2', '22.17.1'])('Node %s, which does not strip types, says so', async (version) => {
  const old = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
  const script = `${old} await import('./cli/rollcall.mjs');`;
  const args = ['--input-type=module', '--eval', script];
  const { code, output } = await launchCommand(process.execPath, args, {}).ended;
  expect(output).toMatch(
    new RegExp(
      `^rollcall: needs Node 22\\.18 or newer, this is Node ${version.replaceAll('.', '\\.')}; .*\\n$`,
    ),
  );
  expect(code).toBe(1);
});
