import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync, inflateSync } from 'node:zlib';

/** A real application's captured exports (test/fixtures/README.md). */
export interface Fixture {
  truth: Truth;
  /** Bodies of the trace requests, uncompressed and without gRPC's prefix, in their order. */
  messages: { contentType: string; body: Buffer }[];
}

export interface Truth {
  spans: { serverOuter: number; total: number };
  calls: TrueCall[];
}

export interface TrueCall {
  method: string;
  path: string;
  status: number;
  route: string | null;
  canonicalRoute: string | null;
  userAgent: string;
  durationMsAtLeast: number;
  span?: false;
  observed: { client: string; userAgent: string; durationMs: number; status: number };
}

const folder = new URL('../../fixtures/', import.meta.url);

/** Folders of recorded exports; other folders of test/fixtures have no truth.json. */
export function fixtureNames(): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => existsSync(new URL(`${entry.name}/truth.json`, folder)))
    .map((entry) => entry.name)
    .sort();
}

export function readFixture(name: string): Fixture {
  const at = new URL(`${name}/`, folder);
  const truth = JSON.parse(readFileSync(new URL('truth.json', at), 'utf8')) as Truth;
  const messages: Fixture['messages'] = [];
  for (const file of readdirSync(at).sort()) {
    if (!file.endsWith('.bin')) continue;
    const described = JSON.parse(readFileSync(new URL(file.replace('.bin', '.json'), at), 'utf8'));
    if (!/\/v1\/traces$|TraceService\/Export$/.test(described.path)) continue;
    const raw = readFileSync(new URL(file, at));
    messages.push({
      contentType: described.contentType,
      body: decoded(raw, described.transport === 'grpc', described.contentEncoding),
    });
  }
  return { truth, messages };
}

function decoded(raw: Buffer, grpc: boolean, encoding: string | null): Buffer {
  if (grpc) return raw.subarray(5, 5 + raw.readUInt32BE(1));
  if (encoding === 'gzip') return gunzipSync(raw);
  return encoding === 'deflate' ? inflateSync(raw) : raw;
}
