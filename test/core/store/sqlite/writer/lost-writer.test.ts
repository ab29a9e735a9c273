import { Worker } from 'node:worker_threads';
import { afterAll, expect, test, vi } from 'vitest';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../../../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('a writer whose thread died says so once; one that was closed does not', async () => {
  const threads: Worker[] = [];
  const post = Worker.prototype.postMessage;
  const spy = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
    this: Worker,
    ...args
  ) {
    threads.push(this);
    post.apply(this, args);
  });
  const options = { retention: defaultRetention };
  const closed = await openSqliteWriter({ ...options, path: `${folder.path}/closed.db` });
  let told = false;
  closed.lost?.then(() => {
    told = true;
  });
  await closed.check();
  await closed.close();
  const lost = await openSqliteWriter({ ...options, path: `${folder.path}/lost.db` });
  await lost.check();
  spy.mockRestore();
  await threads.at(-1)!.terminate();
  expect(await lost.lost).toMatchObject({
    code: 'unavailable',
    message: "the store's writer is gone: it ended",
  });
  await expect(lost.check()).rejects.toThrow("the store's writer is gone");
  expect(told).toBe(false);
});
