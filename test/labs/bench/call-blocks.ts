import { encodeBlock, parts } from '../../../core/store/sqlite/calls/call-block.ts';
import { decodeCommit, encodeCommit } from '../../../core/store/sqlite/calls/commit-columns.ts';
import { StoredCalls } from '../../../core/store/sqlite/calls/stored-calls.ts';
import {
  contextOf,
  madeStoredCalls,
  storedCalls,
} from '../../core/store/sqlite/calls/made-stored-calls.ts';

/** `node test/labs/bench/call-blocks.ts`: bytes and CPU time a call of the columns in which raw calls are stored. */
const calls = 65_536;
const perCommit = 512;
const shape = { endpoints: 1000, clients: 10_000, origins: 50 };
const rounds = 20;

const stored = storedCalls(madeStoredCalls(7, { ...shape, calls }));
const small = storedCalls(madeStoredCalls(8, { ...shape, calls: perCommit }));
const commits = [{ calls, committedS: 5 }];
const block = () => encodeBlock({ calls: stored, from: 0, to: calls, commits, contextOf });

const bytes = new Map<string, number>([['summary', block().summary.length]]);
for (const { part, bytes: own } of block().parts) {
  const name = nameOf(part);
  bytes.set(name, (bytes.get(name) ?? 0) + own.length);
}
for (const [name, own] of bytes) show(`block, ${name}`, own / calls, 'bytes a call');
const whole = [...bytes.values()].reduce((sum, own) => sum + own);
show('block, all', whole / calls, 'bytes a call');
show('commit', 16 + commitOf(stored).length / calls, 'bytes a call');

measure('encode a block', block);
measure(`encode a commit of ${calls}`, () => commitOf(stored));
measure(`encode commits of ${perCommit}`, () => {
  for (let n = 0; n < calls / perCommit; n += 1) commitOf(small);
});
const into = new StoredCalls(calls);
const encoded = commitOf(small).slice();
const traceIds = small.columns.traceId.subarray(0, perCommit * 16);
measure(`decode commits of ${perCommit}`, () => {
  into.clear();
  for (let n = 0; n < calls / perCommit; n += 1) decodeCommit(encoded, traceIds, 'commit', into);
});

function commitOf({ columns, length, weights }: StoredCalls): Uint8Array {
  return encodeCommit(columns, length, columns, weights);
}

function nameOf(part: number): string {
  if (part >= parts.traceFilter) return 'filter of trace ids';
  if (part >= parts.traceIds) return 'trace ids';
  return Object.entries(parts).find(([, number]) => number === part)?.[0] ?? String(part);
}

function measure(title: string, work: () => void): void {
  for (let n = 0; n < 3; n += 1) work();
  const before = process.cpuUsage();
  for (let n = 0; n < rounds; n += 1) work();
  const { user, system } = process.cpuUsage(before);
  show(title, ((user + system) * 1000) / rounds / calls, 'CPU ns a call');
}

function show(title: string, value: number, unit: string): void {
  process.stdout.write(`${title}: ${value.toFixed(2)} ${unit}\n`);
}
