import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { openDoor } from '../../../analyzer/support/door.ts';
import { temporaryFolder } from '../../../support/process.ts';

/**
 * A store that release 0.1.0 wrote (test/fixtures/store-0.1.0/make.ts): every level, some of it past its
 * retention, runs that are not compacted, calls that are not rolled up. Fields that came later may stand beside
 * what 0.1.0 answered.
 */
const fixture = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../../fixtures/store-0.1.0/${name}`, import.meta.url)));
const { now, answers } = JSON.parse(fixture('answers.json').toString()) as {
  now: string;
  answers: Record<string, unknown>;
};
const nowMs = Date.parse(now);
/** The service whose endpoints of one shape 0.1.0 held apart. */
const isSplit = (query: string): boolean => query.includes('service=split');

let folder: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = `${folder.path}/rollcall.db`;
  writeFileSync(path, gunzipSync(fixture('store.db.gz')));
});
afterEach(() => folder.remove());

async function expectSameAnswers(): Promise<void> {
  const reader = await openSqliteReader(path);
  const door = await openDoor(reader, nowMs);
  for (const [query, answer] of Object.entries(answers)) {
    if (isSplit(query)) continue;
    expect(await door.get(query), query).toMatchObject(answer as object);
  }
  await door.close();
  await reader.close();
}

it('a store of release 0.1.0 gives the answers it gave, as soon as it is opened', async () => {
  await expectSameAnswers();
});

it('a store of release 0.1.0 gives the answers it gave after a writer compacted and purged it', async () => {
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  await writer.compact();
  await writer.purge(nowMs / 1000);
  await writer.close();
  await expectSameAnswers();
});
