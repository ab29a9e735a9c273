import { expect, test } from 'vitest';
import { fuzzCase, kinds } from '../labs/fuzz/case.ts';
import { judgeJson } from '../labs/fuzz/oracle-json.ts';
import { judgeProtobuf } from '../labs/fuzz/oracle-protobuf.ts';
import { runFuzz } from '../labs/fuzz/run.ts';
import { readSeeds } from '../labs/fuzz/seeds.ts';
import { temporaryFolder } from '../support/process.ts';

test('3,000 mutated bodies: no crash, no hang, no wrong code, valid requests counted exactly', async () => {
  const folder = temporaryFolder();
  const storePath = `${folder.path}/rollcall.db`;
  const result = await runFuzz({ cases: 3000, seed: 2026, storePath });
  folder.remove();
  const { crash, hangs, wrong, control, byKind } = result;
  expect({ crash, hangs, wrong }).toEqual({ crash: undefined, hangs: [], wrong: [] });
  expect(control.counted).toBe(control.sent);
  expect(control.sent).toBeGreaterThan(5);
  for (const kind of kinds) expect(byKind[kind].cases).toBeGreaterThan(0);
  // Most of them got through to where it matters, on either side.
  expect(byKind.protobuf.codes['200']).toBeGreaterThan(300);
  expect(byKind.protobuf.codes['400']).toBeGreaterThan(200);
});

test('the same seed makes the same cases, another one others', async () => {
  const seeds = await readSeeds(1, 1_700_000_000_000);
  for (let index = 0; index < 300; index += 1) {
    expect(fuzzCase(1, index, seeds)).toEqual(fuzzCase(1, index, seeds));
  }
  const bodies = [1, 2].map((seed) => fuzzCase(seed, 3, seeds).body);
  expect(bodies[0]).not.toEqual(bodies[1]);
});

test('the oracles accept what they began with, and decide nine of ten cases', async () => {
  const seeds = await readSeeds(1, 1_700_000_000_000);
  for (const body of seeds.protobuf) expect(judgeProtobuf(body)).toBe('accept');
  for (const body of seeds.json) expect(judgeJson(body)).toBe('accept');
  let decided = 0;
  for (let index = 0; index < 1000; index += 1) {
    if (fuzzCase(5, index, seeds).expected.length === 1) decided += 1;
  }
  expect(decided).toBeGreaterThan(900);
});
