import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { callColumns } from '../../../core/call.ts';
import { Random } from '../../../core/random.ts';
import { encodeCommit } from '../../../core/store/sqlite/calls/commit-columns.ts';
import { Database } from '../../../core/store/sqlite/database.ts';
import { openDatabase } from '../../../core/store/sqlite/open.ts';
import { rawCallsOf } from '../../support/stored-calls.ts';

/**
 * A process that compacts commits and converts rows of release 0.1.0 is killed with SIGKILL at random moments and
 * started again. After each kill every raw call must be there once, with all its fields.
 */
export interface RewritingResult {
  kills: number;
  /** Kills that met commits that were not all compacted, or rows that were not all converted. */
  whileCompacting: number;
  whileConverting: number;
  calls: number;
  lost: number;
  doubled: number;
}

const nowS = 1_790_000_000;
const rewriter = fileURLToPath(new URL('rewriter.ts', import.meta.url));

export async function runRewriting(options: {
  kills: number;
  /** A kill comes within so many milliseconds. */
  killMs?: number;
  seed: number;
  storePath: string;
  oldCalls: number;
  newCalls: number;
}): Promise<RewritingResult> {
  const { kills, killMs = 600, seed, storePath, oldCalls, newCalls } = options;
  const random = new Random(seed);
  const result = { kills: 0, whileCompacting: 0, whileConverting: 0, lost: 0, doubled: 0 };
  let calls = 0;
  while (result.kills < kills) {
    calls = addCalls(storePath, random, oldCalls, newCalls);
    const before = callsOf(storePath);
    while (result.kills < kills) {
      const isKilled = await rewriteFor(storePath, random.next() * killMs);
      compare(before, callsOf(storePath), result);
      if (!isKilled) break;
      result.kills += 1;
      const left = leftOf(storePath);
      if (left.commits > 0) result.whileCompacting += 1;
      if (left.rows > 0) result.whileConverting += 1;
    }
    // What the killed processes left is done to its end.
    await rewriteFor(storePath);
    compare(before, callsOf(storePath), result);
    const { commits, rows } = leftOf(storePath);
    if (commits + rows > 0) throw new Error(`${commits} commits and ${rows} rows are left`);
  }
  return { ...result, calls };
}

function compare(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  result: { lost: number; doubled: number },
): void {
  result.lost += [...before.keys()].filter((call) => !after.has(call)).length;
  for (const count of after.values()) result.doubled += count - 1;
}

/** @param ms after which it is killed; absent: it is not @returns false when the process was done before */
function rewriteFor(storePath: string, ms?: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [rewriter, storePath, String(nowS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => {
      if (ms !== undefined) setTimeout(() => child.kill('SIGKILL'), ms);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the process that rewrites calls ended with ${code}`));
    });
  });
}

/** How often each call is there: a digest of all its fields. */
function callsOf(storePath: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { where: _, endNs, ...call } of rawCallsOf(storePath)) {
    const text = `${endNs} ${JSON.stringify(call)}`;
    const key = createHash('sha1').update(text).digest('base64');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function leftOf(storePath: string): { commits: number; rows: number } {
  const db = new Database(storePath, { readOnly: true, timeoutMs: 10_000 });
  try {
    const count = (table: string) =>
      db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    return { commits: count('commit_calls'), rows: count('call') };
  } finally {
    db.close();
  }
}

/** Adds rows of release 0.1.0 before everything else, and commits behind it. @returns the calls of the store */
function addCalls(storePath: string, random: Random, oldCalls: number, newCalls: number): number {
  const db = openDatabase(storePath, 'write');
  try {
    return db.immediately(() => {
      db.exec(`
        INSERT OR IGNORE INTO project (id, name) VALUES (7, 'p');
        INSERT OR IGNORE INTO service VALUES (1, 7, 's', '');
        INSERT OR IGNORE INTO endpoint (id, service_id, method, route, templated) VALUES (1, 1, 'GET', '/a', 0);
        INSERT OR IGNORE INTO origin (id, service_version, consumer, agent, bot, error_type) VALUES (1, '', '', '', 0, '');
      `);
      const last = db.prepare("SELECT value FROM meta WHERE key = 'rolled_up_call'").pluck();
      let id = (last.get() as number) + 1;
      const call = db.prepare('INSERT INTO call VALUES (?, 1, 200, ?, ?, ?, NULL, 1, NULL, ?)');
      const commit = db.prepare('INSERT INTO call_commit VALUES (?, ?, ?, ?)');
      for (let left = oldCalls; left > 0; ) {
        const calls = Math.min(left, 1 + random.below(3000));
        commit.run(id, calls, nowS, random.bytes(16 * calls));
        for (let i = 0; i < calls; i += 1, id += 1) {
          call.run(id, nowS, random.below(1e9), random.below(1e9), random.below(1e4));
        }
        left -= calls;
      }
      const add = db.prepare('INSERT INTO commit_calls VALUES (?, ?, ?, ?, ?)');
      for (let left = newCalls; left > 0; ) {
        const calls = Math.min(left, 1 + random.below(3000));
        const columns = callColumns(calls);
        columns.endpoint.fill(1);
        columns.origin.fill(1);
        columns.endS.fill(nowS);
        columns.traceId.set(random.bytes(16 * calls));
        for (let i = 0; i < calls; i += 1) {
          columns.endNs[i] = random.below(1e9);
          columns.durationNs[i] = random.below(1e9);
        }
        const bytes = encodeCommit(columns, calls, columns, undefined);
        add.run(id, calls, nowS, bytes, columns.traceId);
        id += calls;
        left -= calls;
      }
      // They are rolled up already: this is about raw calls.
      db.prepare("UPDATE meta SET value = ? WHERE key = 'rolled_up_call'").run(id - 1);
      return id - 1;
    });
  } finally {
    db.close();
  }
}
