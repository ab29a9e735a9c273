import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * `npm run test:kubernetes`: every object of docs/deploy/kubernetes*.yaml against Kubernetes' own schemas,
 * strictly, without a cluster. The schemas come with the Python package kubernetes-validate, which is
 * installed in the user's cache. Ends with 0 and says so when Python is not there.
 */
const run = promisify(execFile);
const deploy = fileURLToPath(new URL('../../../docs/deploy', import.meta.url));
const manifest = join(deploy, 'kubernetes.yaml');
const manifests = [manifest, join(deploy, 'kubernetes-clickhouse.yaml')];
const environment = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-kubernetes`;
const versions = ['1.29.0', '1.37.0'];

if ((await run('python3', ['--version']).catch(() => undefined)) === undefined) {
  process.stdout.write('skipped: python3 is not there; nothing was checked\n');
  process.exit(0);
}
await run('python3', ['-m', 'venv', environment]);
const bin = (name: string) => `${environment}/bin/${name}`;
await run(bin('pip'), ['install', '--quiet', 'kubernetes-validate==1.37.0']);

const folder = mkdtempSync(join(tmpdir(), 'rollcall-kubernetes-'));
try {
  for (const version of versions) {
    for (const file of manifests) {
      const { stdout, stderr } = await validate(version, file);
      process.stdout.write(`${stdout}${stderr}`);
    }
  }
  // A check that could not fail would be none.
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, readFileSync(manifest, 'utf8').replace('replicas: 1', 'replica: 1'));
  const refused = await validate(versions[0]!, wrong).then(
    () => false,
    () => true,
  );
  if (!refused) throw new Error('a StatefulSet with a field that does not exist was passed');
  process.stdout.write('a field that does not exist is refused\n');
} finally {
  rmSync(folder, { recursive: true });
}

function validate(version: string, file: string) {
  return run(bin('kubernetes-validate'), ['--strict', '-k', version, file]);
}
