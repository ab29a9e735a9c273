import { expect, test } from 'vitest';
import { Sessions } from '../../../analyzer/api/session.ts';

const scope = 'read' as const;
const signedIn = (project: string, key: number) => ({
  keyDigest: Buffer.from(`digest of key ${key}`),
  project,
  scope,
  agent: '',
  address: '192.0.2.1',
});

test('a hundred people are signed in with one key: the next one ends its session that was unused longest', () => {
  const sessions = new Sessions(() => 0);
  const neighbour = sessions.open(signedIn('neighbour', 0));
  const tokens = Array.from({ length: 101 }, () => sessions.open(signedIn('shop', 1)));
  expect(sessions.find(tokens[0]!)).toBeUndefined();
  expect(sessions.find(tokens[1]!)).toBeDefined();
  expect(sessions.find(neighbour)).toBeDefined();
});

test('a project that opens sessions with many keys signs nobody of another project out', () => {
  const sessions = new Sessions(() => 0);
  const neighbours = Array.from({ length: 50 }, (_, n) => sessions.open(signedIn('neighbour', n)));
  for (let n = 0; n < 2_000; n += 1) sessions.open(signedIn('flood', 100 + (n % 50)));
  expect(neighbours.filter((token) => sessions.find(token) === undefined)).toEqual([]);
});
