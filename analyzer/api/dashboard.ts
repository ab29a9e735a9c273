import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { acceptedCodings } from './compress.ts';

/**
 * The dashboard's files as they are served: all in memory, read once at the start (about 1 MB), because a
 * build that replaces them must not mix with one that is being served.
 */
export interface Dashboard {
  /** The build's hash; an open page compares it with its own. Undefined when there is no build. */
  build: string | undefined;
  /** @param root reference to `/` from the page's own address. @returns undefined when there is no build */
  page(root: string): string | undefined;
  /** @param name below /assets/ */
  asset(name: string): Asset | undefined;
}

export interface Asset {
  contentType: string;
  bytes: Buffer;
  /** The same bytes, compressed at build. */
  br: Buffer | undefined;
  gzip: Buffer | undefined;
}

const contentTypes: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

export const distPath = join(import.meta.dirname, '../web/dist');

/** @param folder of the build; one without a page counts as no build */
export function openDashboard(folder: string = distPath): Dashboard {
  const page = readText(join(folder, 'index.html'));
  if (page === undefined)
    return { build: undefined, page: () => undefined, asset: () => undefined };
  const assets = readAssets(join(folder, 'assets'));
  return {
    build: buildHash(readText(join(folder, 'build.json'))),
    page: (root) => page.replaceAll('"./assets/', `"${root}assets/`),
    asset: (name) => assets.get(name),
  };
}

function readAssets(folder: string): Map<string, Asset> {
  const names = readdirSync(folder);
  const read = (name: string) =>
    names.includes(name) ? readFileSync(join(folder, name)) : undefined;
  return new Map(
    names.flatMap((name) => {
      const contentType = contentTypes[extname(name)];
      if (contentType === undefined) return [];
      const bytes = readFileSync(join(folder, name));
      return [[name, { contentType, bytes, br: read(`${name}.br`), gzip: read(`${name}.gz`) }]];
    }),
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function buildHash(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as { hash: string }).hash;
}

/** The smallest form of an asset that the client takes. @param accept its Accept-Encoding */
export function encoded(
  { bytes, br, gzip }: Asset,
  accept: string,
): { body: Buffer; encoding?: 'br' | 'gzip' } {
  const taken = acceptedCodings(accept);
  if (br && taken.has('br')) return { body: br, encoding: 'br' };
  if (gzip && taken.has('gzip')) return { body: gzip, encoding: 'gzip' };
  return { body: bytes };
}

/** Of the dashboard's page: nothing from another host, no inline script or style, no markup from text. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};
