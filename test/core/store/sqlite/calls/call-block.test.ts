import { describe, expect, it } from 'vitest';
import {
  CodedReader,
  decodeCommits,
  decodeFilter,
  decodeTraceIds,
  decodeWeights,
  EndsReader,
  mayHoldTrace,
  NumbersReader,
  tracePlace,
} from '../../../../../core/store/sqlite/calls/block-parts.ts';
import {
  type BlockSummary,
  decodeSummary,
  durationBound,
  indexOfRow,
  mayBeMember,
  type WitnessedField,
} from '../../../../../core/store/sqlite/calls/block-summary.ts';
import {
  type CommitRun,
  type EncodedBlock,
  encodeBlock,
  frameCalls,
  parts,
} from '../../../../../core/store/sqlite/calls/call-block.ts';
import { coded } from '../../../../../core/store/sqlite/calls/coded.ts';
import { addRow, filterOf, mayHoldRow } from '../../../../../core/store/sqlite/calls/membership.ts';
import { DamagedError } from '../../../../../core/store/sqlite/sealed.ts';
import { fc } from '../../../../support/property.ts';
import {
  contextOf,
  madeStoredCalls,
  type Shape,
  type StoredCall,
  storedCalls,
} from './made-stored-calls.ts';

function encoded(
  calls: readonly StoredCall[],
  commits: CommitRun[] = [{ calls: calls.length, committedS: 1_795_000_100 }],
): EncodedBlock {
  return encodeBlock({ calls: storedCalls(calls), from: 0, to: calls.length, commits, contextOf });
}

function part(block: EncodedBlock, number: number): Buffer | undefined {
  return block.parts.find((each) => each.part === number)?.bytes;
}

/** Every call of a block, read part by part. */
function decoded(block: EncodedBlock, calls: number): StoredCall[] {
  const codedOf = (number: number) => new CodedReader(part(block, number)!, `part ${number}`);
  const numbersOf = (number: number) =>
    new NumbersReader(part(block, number)!, calls, `part ${number}`);
  const endpoint = codedOf(parts.endpoint);
  const status = codedOf(parts.status);
  const client = codedOf(parts.client);
  const origin = codedOf(parts.origin);
  const end = new EndsReader(part(block, parts.end)!, calls, 'end');
  const duration = numbersOf(parts.duration);
  const requestBytes = numbersOf(parts.requestBytes);
  const responseBytes = numbersOf(parts.responseBytes);
  const all: StoredCall[] = [];
  for (let frame = 0; frame * frameCalls < calls; frame++) {
    const { endS, endNs } = end.ends(frame);
    const value = (reader: CodedReader) =>
      Array.from(reader.codes(frame), (code) => reader.values[code]!);
    const endpoints = value(endpoint);
    const statuses = value(status);
    const clients = value(client);
    const origins = value(origin);
    const durations = duration.numbers(frame);
    const requests = requestBytes.numbers(frame);
    const responses = responseBytes.numbers(frame);
    for (let i = 0; i < endS.length; i++) {
      const { part: tracePart, at } = tracePlace(all.length);
      all.push({
        endpoint: endpoints[i]!,
        status: statuses[i]!,
        endS: endS[i]!,
        endNs: endNs[i]!,
        durationNs: durations[i]!,
        client: clients[i]!,
        origin: origins[i]!,
        requestBytes: requests[i]!,
        responseBytes: responses[i]!,
        traceId: Uint8Array.from(traceIds(block, tracePart).subarray(at, at + 16)),
        weight: 1,
        copies: 1,
      });
    }
  }
  const weights = part(block, parts.weights);
  if (weights === undefined) return all;
  const { length, call, weight, copies } = decodeWeights(weights, 'weights');
  for (let i = 0; i < length; i++) {
    all[call[i]!]!.weight = weight[i]!;
    all[call[i]!]!.copies = copies[i]!;
  }
  return all;
}

const ids = new WeakMap<EncodedBlock, Map<number, Uint8Array>>();
function traceIds(block: EncodedBlock, number: number): Uint8Array {
  const known = ids.get(block) ?? new Map<number, Uint8Array>();
  ids.set(block, known);
  const found = known.get(number) ?? decodeTraceIds(part(block, number)!, 'trace ids');
  known.set(number, found);
  return found;
}

const shapes: Shape[] = [
  { calls: 1, endpoints: 1, clients: 1, origins: 1 },
  { calls: 255, endpoints: 1, clients: 1, origins: 1, weighted: 0.5 },
  { calls: 8_192, endpoints: 256, clients: 257, origins: 3, unitNs: 1_000 },
  { calls: 8_193, endpoints: 2_000, clients: 100, origins: 2_000, weighted: 0.01 },
  { calls: 65_536, endpoints: 10_000, clients: 100_000, origins: 300, unitNs: 1_000_000 },
];

describe.each(shapes)('a block of $calls calls', (shape) => {
  const calls = madeStoredCalls(shape.calls, shape);
  const commits = [
    { calls: Math.ceil(calls.length / 2), committedS: 1_795_000_100 },
    { calls: Math.floor(calls.length / 2), committedS: 1_795_000_107 },
  ];
  const block = encoded(calls, commits);
  const summary = decodeSummary(block.summary, 'call block 1');

  it('gives every call back', () => {
    expect(decoded(block, calls.length)).toEqual(calls);
    expect(decodeCommits(part(block, parts.commits)!, 'commits')).toEqual(commits);
  });

  it('has a summary that is true of its calls', () => {
    expect(summary).toMatchObject(expectedSummary(calls));
    for (const { endpoint, durationNs } of calls) {
      const at = summary.endpoints.rows ? indexOfRow(summary.endpoints.rows, endpoint) : -1;
      if (at < 0) continue;
      expect(durationBound(summary.endpointDurations[at]!)).toBeGreaterThanOrEqual(durationNs);
    }
  });

  it('says of each row and trace id it holds that it may hold it', () => {
    const filter = (number: number) => () => {
      const bytes = part(block, number);
      return bytes && decodeFilter(bytes, 'filter');
    };
    const pieces = new Map<number, Uint8Array>();
    const piece = (number: number): Uint8Array => {
      const bytes = pieces.get(number) ?? decodeFilter(part(block, number)!, 'filter');
      pieces.set(number, bytes);
      return bytes;
    };
    const clientFilter = filter(parts.clientFilter)();
    const endpointFilter = filter(parts.endpointFilter)();
    let isHeld = true;
    for (const { client, endpoint, traceId } of calls) {
      isHeld &&= mayBeMember(summary.clients, client, () => clientFilter);
      isHeld &&= mayBeMember(summary.endpoints, endpoint, () => endpointFilter);
      isHeld &&= mayHoldTrace(summary, traceId, piece);
    }
    expect(isHeld).toBe(true);
    let wrong = 0;
    const others = madeStoredCalls(99, { ...shape, calls: 2_000 });
    for (const { traceId } of others) if (mayHoldTrace(summary, traceId, piece)) wrong += 1;
    expect(wrong / others.length).toBeLessThan(0.03);
    expect(mayBeMember(summary.endpoints, 1_000_000, () => endpointFilter)).toBe(false);
  });

  it('names the part that was damaged', () => {
    for (const { part: number, bytes } of block.parts) {
      const damaged = Buffer.from(bytes);
      damaged[damaged.length - 1]! ^= 16;
      expect(() => decodeFilter(damaged, `part ${number}`)).toThrow(
        `part ${number} is damaged: its checksum is`,
      );
    }
    const damaged = Buffer.from(block.summary);
    damaged[9]! ^= 1;
    expect(() => decodeSummary(damaged, 'call block 1')).toThrow(DamagedError);
  });
});

function expectedSummary(calls: readonly StoredCall[]): Partial<BlockSummary> {
  const endNs = calls.map(({ endS, endNs: ns }) => BigInt(endS) * 1_000_000_000n + BigInt(ns));
  const newest = endNs.reduce((a, b) => (a > b ? a : b));
  const oldest = endNs.reduce((a, b) => (a < b ? a : b));
  const timed = calls.map(({ durationNs }) => durationNs).filter((ns) => ns >= 0);
  const counts = countBy(calls.map(({ endpoint }) => endpoint));
  const rows = (numbers: readonly number[]) => {
    const distinct = [...new Set(numbers)].sort((a, b) => a - b);
    return {
      distinct: distinct.length,
      rows: distinct.length > 1024 ? undefined : Int32Array.from(distinct),
    };
  };
  const endpoints = rows(calls.map(({ endpoint }) => endpoint));
  return {
    calls: calls.length,
    minEndS: Number(oldest / 1_000_000_000n),
    minEndNs: Number(oldest % 1_000_000_000n),
    maxEndS: Number(newest / 1_000_000_000n),
    maxEndNs: Number(newest % 1_000_000_000n),
    timedCalls: timed.length,
    minDurationNs: timed.reduce((a, b) => Math.min(a, b), timed[0] ?? 0),
    maxDurationNs: timed.reduce((a, b) => Math.max(a, b), 0),
    weightedCalls: calls.filter(({ weight }) => weight !== 1).length,
    statuses: countBy(calls.map(({ status }) => status)).map(([status, n]) => ({
      status,
      calls: n,
    })),
    endpoints,
    endpointCalls: Int32Array.from(endpoints.rows ? counts.map(([, n]) => n) : []),
    clients: rows(calls.map(({ client }) => client)),
    origins: rows(calls.map(({ origin }) => origin)),
  };
}

function countBy(numbers: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

it('the witnesses of a field have each of its values once, up to 256', () => {
  const calls = madeStoredCalls(5, { calls: 3000, endpoints: 9, clients: 9, origins: 280 });
  const { witnesses } = decodeSummary(encoded(calls).summary, 'call block 1');
  const values = (field: WitnessedField) =>
    witnesses[field] && Array.from(witnesses[field], (row) => contextOf(row)[field]).sort();
  expect(values('serviceVersion')).toEqual(['1.0', '1.1', '1.2']);
  expect(values('errorType')).toEqual(['', 'timeout']);
  expect(values('agent')).toEqual(['', 'curl']);
  expect(values('bot')).toEqual([false, true]);
  expect(values('consumer')).toBe(undefined);
});

it('a block takes part of the calls of a list', () => {
  const calls = madeStoredCalls(6, {
    calls: 1000,
    endpoints: 9,
    clients: 9,
    origins: 3,
    weighted: 0.3,
  });
  const block = encodeBlock({
    ...{ calls: storedCalls(calls), from: 300, to: 700, contextOf },
    commits: [{ calls: 400, committedS: 5 }],
  });
  expect(decoded(block, 400)).toEqual(calls.slice(300, 700));
});

it('codes are indexes of ascending distinct values, whatever the numbers', () => {
  const numbers = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(numbers, (list) => {
      const { values, codes } = coded(Int32Array.from(list));
      expect([...values]).toEqual([...new Set(list)].sort((a, b) => a - b));
      expect(Array.from(codes, (code) => values[code])).toEqual(list);
    }),
  );
});

it('a filter of rows is wrong about fewer than 3 of 100 other rows', () => {
  const filter = filterOf(20_000);
  for (let row = 1; row <= 20_000; row++) addRow(filter, row * 3);
  let held = 0;
  let wrong = 0;
  for (let row = 1; row <= 20_000; row++) {
    if (mayHoldRow(filter, row * 3)) held += 1;
    if (mayHoldRow(filter, row * 3 + 1)) wrong += 1;
  }
  expect(held).toBe(20_000);
  expect(wrong / 20_000).toBeLessThan(0.03);
});

it('a call of a busy service takes at most 32 bytes, all of its fields and filters', () => {
  const calls = madeStoredCalls(7, {
    calls: 65_536,
    endpoints: 1000,
    clients: 10_000,
    origins: 50,
    unitNs: 1,
  });
  const block = encoded(calls);
  const bytes = block.parts.reduce((sum, each) => sum + each.bytes.length, block.summary.length);
  expect(bytes / calls.length).toBeLessThan(32);
});
