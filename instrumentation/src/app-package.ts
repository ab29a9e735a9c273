import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What the app's package.json says of it; fields that are missing or no text are undefined. */
export interface AppPackage {
  name: string | undefined;
  version: string | undefined;
}

/**
 * The package.json with a name that is nearest to the app's entry. A program of node_modules (`next start`)
 * is not the app: the working directory then says whose it is.
 * @param entry `process.argv[1]`
 */
export function appPackage(entry: string | undefined, workingDirectory: string): AppPackage {
  let folder = workingDirectory;
  if (entry !== undefined && entry !== '') {
    const path = realPath(resolve(workingDirectory, entry));
    if (!/[\\/]node_modules[\\/]/.test(path)) folder = dirname(path);
  }
  for (;;) {
    const found = read(join(folder, 'package.json'));
    if (found?.name !== undefined) return found;
    const parent = dirname(folder);
    if (parent === folder) return { name: undefined, version: undefined };
    folder = parent;
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
