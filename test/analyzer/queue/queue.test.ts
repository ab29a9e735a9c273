import { expect, test } from 'vitest';
import { AnswerQueue, type QueueOutcome } from '../../../analyzer/queue/queue.ts';
import type { AppError } from '../../../core/error.ts';

/** Work that the test ends by hand. */
function stage(bounds?: { waiting: number; waitingPerProject: number }) {
  const outcomes: QueueOutcome[] = [];
  const queue = new AnswerQueue((outcome) => outcomes.push(outcome), bounds);
  const started: string[] = [];
  const abandoned: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const ask = (project: string, key: string) =>
    queue.ask({
      project,
      key,
      run: () => {
        started.push(`${project} ${key}`);
        const end = Promise.withResolvers<string>();
        ends.set(`${project} ${key}`, end);
        return end.promise;
      },
      abandon: () => abandoned.push(`${project} ${key}`),
    });
  /** Ends the work under way. */
  const end = async (failed?: Error) => {
    const name = started.at(-1)!;
    if (failed) ends.get(name)!.reject(failed);
    else ends.get(name)!.resolve(`answer ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, ask, end, started, abandoned, outcomes };
}

test('one job runs at a time, in the order of asking', async () => {
  const { ask, end, started } = stage();
  const answers = ['1', '2', '3'].map((key) => ask('shop', key).answer);
  expect(started).toEqual(['shop 1']);
  await end();
  expect(started).toEqual(['shop 1', 'shop 2']);
  await end();
  await end();
  expect(await Promise.all(answers)).toEqual(['answer shop 1', 'answer shop 2', 'answer shop 3']);
});

test('equal questions that wait are computed once; one that is answered already is not shared', async () => {
  const { ask, end, started, outcomes } = stage();
  const first = ask('shop', 'report').answer;
  const later = [1, 2, 3].map(() => ask('shop', 'report').answer);
  const other = ask('bank', 'report').answer;
  await end();
  await end();
  await end();
  expect(started).toEqual(['shop report', 'shop report', 'bank report']);
  expect(await Promise.all([first, ...later, other])).toEqual([
    ...Array(4).fill('answer shop report'),
    'answer bank report',
  ]);
  expect(outcomes.filter((outcome) => outcome === 'shared')).toHaveLength(2);
});

test('projects take turns: one with many questions delays another by one answer', async () => {
  const { ask, end, started } = stage();
  for (let n = 0; n < 20; n++) ask('large', String(n));
  for (const project of ['small', 'tiny']) for (const n of ['a', 'b']) ask(project, n);
  for (let n = 0; n < 7; n++) await end();
  expect(started).toEqual([
    'large 0',
    'large 1',
    'small a',
    'tiny a',
    'large 2',
    'small b',
    'tiny b',
    'large 3',
  ]);
});

test('a question beyond a bound is throttled, by name and with the time to wait', async () => {
  const { ask, end, queue, outcomes } = stage({ waiting: 5, waitingPerProject: 3 });
  for (let n = 0; n < 4; n++) ask('shop', String(n));
  const refusal = (project: string): AppError => {
    try {
      ask(project, 'one more');
    } catch (error) {
      return error as AppError;
    }
    throw new Error('it was taken');
  };
  expect(refusal('shop')).toMatchObject({
    code: 'throttled',
    message: '3 queries of this project wait for their answers; at most 3 may; try again in 1 s',
    retryAfterS: 1,
  });
  // A full project leaves room for others.
  ask('bank', '1');
  ask('bank', '2');
  expect(refusal('park').message).toContain(
    '5 queries wait for their answers; at most 5 may; try again in 1 s',
  );
  expect(queue.length).toBe(5);
  // An equal question takes no room.
  const shared = ask('shop', '3');
  expect(outcomes).toEqual(['refused', 'refused', 'shared']);
  for (let n = 0; n < 6; n++) await end();
  expect(await shared.answer).toBe('answer shop 3');
  expect(queue.length).toBe(0);
});

test('a waiting question that all its askers left is dropped', async () => {
  const { ask, end, started, queue, outcomes } = stage();
  ask('shop', '1');
  const left = [ask('shop', '2'), ask('shop', '2')];
  const stays = ask('shop', '3').answer;
  left[0]!.leave();
  expect(queue.length).toBe(2);
  left[1]!.leave();
  left[1]!.leave();
  expect(queue.length).toBe(1);
  await end();
  await end();
  expect(started).toEqual(['shop 1', 'shop 3']);
  expect(await stays).toBe('answer shop 3');
  expect(await left[1]!.answer).toBeUndefined();
  expect(outcomes).toEqual(['shared', 'abandoned', 'answered', 'answered']);
});

test('the answer under way is abandoned when its last asker leaves, and only then', async () => {
  const { ask, end, abandoned, started } = stage();
  const running = ask('shop', '1');
  const next = ask('shop', '2');
  running.leave();
  expect(abandoned).toEqual(['shop 1']);
  await end(new Error('stopped'));
  expect(started).toEqual(['shop 1', 'shop 2']);
  const also = [next, next];
  await end();
  expect(await next.answer).toBe('answer shop 2');
  // To leave after the answer means nothing.
  for (const { leave } of also) leave();
  expect(abandoned).toEqual(['shop 1']);
});

test('a job that fails fails its own askers, and the next one runs', async () => {
  const { ask, end } = stage();
  const failing = ask('shop', '1');
  const next = ask('shop', '2');
  const failed = expect(failing.answer).rejects.toThrow('broken');
  await end(new Error('broken'));
  await failed;
  await end();
  expect(await next.answer).toBe('answer shop 2');
});
