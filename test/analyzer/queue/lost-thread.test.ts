import { Worker } from 'node:worker_threads';
import { afterAll, expect, test, vi } from 'vitest';
import { ThreadedAnswerer } from '../../../analyzer/queue/threaded-answerer.ts';
import { temporaryFolder } from '../../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('an answering thread that died says so once, and what waits fails; a closed one does not', async () => {
  const threads: Worker[] = [];
  const post = Worker.prototype.postMessage;
  const spy = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
    this: Worker,
    ...args
  ) {
    threads.push(this);
    post.apply(this, args);
  });
  const options = {
    thresholds: { coldAfterDays: 7, deadAfterDays: 30 },
    clientsAreHashed: false,
  };
  const closed = new ThreadedAnswerer(
    { engine: 'sqlite', path: `${folder.path}/a.db` } as never,
    options as never,
  );
  let told = false;
  closed.lost.then(() => {
    told = true;
  });
  await closed.check();
  await closed.close();
  const lost = new ThreadedAnswerer(
    { engine: 'sqlite', path: `${folder.path}/b.db` } as never,
    options as never,
  );
  await lost.check();
  spy.mockRestore();
  // So many that the thread cannot have answered the last one when it is ended.
  const waiting = Promise.allSettled(Array.from({ length: 5_000 }, () => lost.check()));
  await threads.at(-1)!.terminate();
  expect(await lost.lost).toMatchObject({
    code: 'unavailable',
    message: 'the answering thread is gone: it ended',
  });
  expect((await waiting).at(-1)).toMatchObject({
    status: 'rejected',
    reason: { code: 'unavailable' },
  });
  await expect(lost.check()).rejects.toThrow('the answering thread is gone');
  expect(told).toBe(false);
});
