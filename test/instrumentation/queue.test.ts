import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** The queue alone: the test drives the clock and answers each delivery. */
type Done = (result: { code: number; error?: Error }) => void;
interface Queue {
  readonly queued: number;
  readonly delivered: number;
  readonly lost: number;
  add(span: string): void;
  flush(deadlineMs: number): Promise<void>;
  shutdown(): Promise<void>;
  close(handsOver: boolean): void;
}
const built = createRequire(new URL('../../instrumentation/dist/index.js', import.meta.url));
const { SpanQueue } = built('./export/span-queue.js') as {
  SpanQueue: new (options: object) => Queue;
};

class Packer {
  #spans: string[] = [];
  get spans(): number {
    return this.#spans.length;
  }
  add(span: string): void {
    this.#spans.push(span);
  }
  take(): string[] {
    return this.#spans.splice(0);
  }
}

let lines: string[];
let tries: { body: string[]; atMs: number; done: Done }[];
let atExit: { bodies: string[][]; deadlineMs: number }[];
let deliveredAtExit: number;
let queue: Queue;

const open = (options: object = {}): Queue =>
  new SpanQueue({
    packer: new Packer(),
    sender: () => ({
      send: (body: string[], done: Done) => {
        tries.push({ body: [...body], atMs: performance.now(), done });
      },
      sendAtExit: (bodies: string[][], deadlineMs: number) => {
        atExit.push({ bodies: bodies.map((body) => [...body]), deadlineMs });
        return deliveredAtExit;
      },
      shutdown: async () => {},
    }),
    target: 'http://rollcall',
    log: (line: string) => lines.push(line),
    queuedSpansMax: 100,
    batchSpansMax: 10,
    sendDelayMs: 1_000,
    ...options,
  });

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  tries = [];
  atExit = [];
  deliveredAtExit = 0;
  queue = open();
});
afterEach(() => {
  queue.close(false);
  vi.useRealTimers();
});

const fill = (count: number) => {
  for (let n = 0; n < count; n += 1) queue.add(`span ${n}`);
};
const succeed = () => tries.at(-1)!.done({ code: 0 });
const fail = (code: number | string, retryAfterMs?: number) =>
  tries.at(-1)!.done({
    code: 1,
    error: Object.assign(new Error(`it answers ${code}`), { code, retryAfterMs }),
  });
const pass = (ms: number) => vi.advanceTimersByTime(ms);

it('a span waits a second for others, a full batch not at all', () => {
  fill(1);
  pass(999);
  expect(tries).toHaveLength(0);
  pass(1);
  expect(tries).toHaveLength(1);
  succeed();
  fill(10);
  pass(0);
  expect(tries).toHaveLength(2);
  expect(tries[1]!.body).toHaveLength(10);
});

it('one delivery at a time, oldest first, and each batch once', () => {
  fill(35);
  pass(0);
  expect(tries).toHaveLength(1);
  pass(60_000);
  expect(tries).toHaveLength(1);
  for (let batch = 0; batch < 4; batch += 1) {
    succeed();
    pass(1_000);
  }
  expect(tries.flatMap(({ body }) => body)).toEqual(
    Array.from({ length: 35 }, (_, n) => `span ${n}`),
  );
  expect([queue.delivered, queue.lost, queue.queued]).toEqual([35, 0, 0]);
});

it('at its bound the queue takes no span, and counts each one as lost', () => {
  fill(100);
  pass(0);
  expect(queue.queued).toBe(100);
  fill(7);
  expect([queue.queued, queue.lost]).toEqual([100, 7]);
  expect(lines).toEqual([
    'http://rollcall takes no spans (100 are waiting); the service is not affected',
  ]);
  while (queue.queued > 0) {
    succeed();
    pass(1_000);
  }
  expect(queue.delivered).toBe(100);
  expect(lines[1]).toBe('http://rollcall takes spans again; lost meanwhile: 7');
  expect(lines).toHaveLength(2);
});

it('pauses of 1, 2, 4, 8 and then 15 s, or as long as Retry-After asks, up to 5 minutes', () => {
  fill(1);
  pass(1_000);
  const pauseAfter = (retryAfterMs?: number): number => {
    const { length } = tries;
    const failedMs = performance.now();
    fail(503, retryAfterMs);
    while (tries.length === length) pass(500);
    return performance.now() - failedMs;
  };
  const asked = [undefined, 500, undefined, undefined, undefined, undefined, 60_000, undefined];
  expect(asked.map(pauseAfter)).toEqual([
    ...[1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 60_000, 15_000],
  ]);
  expect(pauseAfter(24 * 60 * 60_000)).toBe(5 * 60_000);
});

it('a pause begins anew after a success', () => {
  fill(1);
  pass(1_000);
  fail(503);
  pass(1_000);
  fail(503);
  pass(2_000);
  succeed();
  fill(1);
  pass(1_000);
  fail(503);
  const before = tries.length;
  pass(1_000);
  expect(tries).toHaveLength(before + 1);
});

it('a failed batch comes again whole, before later ones, for 45 minutes', () => {
  fill(1);
  pass(1_000);
  fail('ECONNREFUSED');
  queue.add('later');
  const until = performance.now() + 45 * 60_000;
  while (performance.now() < until - 30_000) {
    pass(15_000);
    if (tries.at(-1)!.body[0] !== 'span 0') break;
    fail('ECONNREFUSED');
  }
  expect(tries.every(({ body }) => body.length === 1 && body[0] === 'span 0')).toBe(true);
  expect(queue.lost).toBe(0);
  pass(15_000);
  fail('ECONNREFUSED');
  pass(15_000);
  fail('ECONNREFUSED');
  pass(15_000);
  fail('ECONNREFUSED');
  expect(queue.lost).toBe(1);
  pass(15_000);
  expect(tries.at(-1)!.body).toEqual(['later']);
  expect(lines).toHaveLength(1);
});

it('a batch that is answered 500 eight times is given up, so that others are sent', () => {
  fill(1);
  pass(1_000);
  for (let failure = 0; failure < 8; failure += 1) {
    expect(queue.lost).toBe(0);
    fail(500);
    pass(15_000);
  }
  expect(tries).toHaveLength(8);
  expect(queue.lost).toBe(1);
});

it('an outage within a minute of another has no lines; its losses are in the next line', () => {
  const outage = () => {
    fill(1);
    pass(1_000);
    fail(400);
    fill(1);
    pass(15_000);
    succeed();
  };
  outage();
  expect(lines).toEqual([
    'http://rollcall takes no spans (it answers 400); the service is not affected',
    'http://rollcall takes spans again; lost meanwhile: 1',
  ]);
  outage();
  expect(lines).toHaveLength(2);
  pass(60_000);
  outage();
  // One span of the second outage, one of the third.
  expect(lines[3]).toBe('http://rollcall takes spans again; lost meanwhile: 2');
});

describe('flush', () => {
  it('sends at once, and resolves when all batches were delivered', async () => {
    fill(15);
    let isDone = false;
    void queue.flush(1_500).then(() => {
      isDone = true;
    });
    expect(tries).toHaveLength(1);
    succeed();
    expect(tries).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(isDone).toBe(false);
    succeed();
    await vi.advanceTimersByTimeAsync(0);
    expect(isDone).toBe(true);
  });

  it('tries again after an answer of 503 within its time, not after a lost connection', async () => {
    fill(1);
    const busy = queue.flush(1_500);
    fail(503);
    pass(1_000);
    expect(tries).toHaveLength(2);
    fail(503);
    await busy;
    const away = queue.flush(1_500);
    fail('ECONNREFUSED');
    await away;
    expect(queue.queued).toBe(1);
  });

  it('of an empty queue resolves at once', async () => {
    await queue.flush(1_500);
    expect(tries).toEqual([]);
  });
});

describe('the end', () => {
  it('hands every batch over, the one under way included, and counts what is not delivered', () => {
    fill(25);
    pass(0);
    expect(tries).toHaveLength(1);
    deliveredAtExit = 2;
    queue.close(true);
    expect(atExit[0]!.bodies.map((body) => body.length)).toEqual([10, 10, 5]);
    expect(atExit[0]!.deadlineMs).toBe(1_500);
    expect([queue.delivered, queue.lost, queue.queued]).toEqual([20, 5, 0]);
    expect(lines).toEqual(['spans not delivered to http://rollcall: 5']);
  });

  it('of an empty queue starts nothing and says nothing', () => {
    queue.close(true);
    expect([atExit, lines]).toEqual([[], []]);
  });

  it('in an outage starts nothing', () => {
    fill(1);
    pass(1_000);
    fail('ECONNREFUSED');
    pass(1_000);
    fail('ECONNREFUSED');
    queue.close(true);
    expect(atExit).toEqual([]);
    expect(lines.at(-1)).toBe('spans not delivered to http://rollcall: 1');
  });

  it('takes no span afterwards, and an answer that comes late changes nothing', () => {
    fill(10);
    pass(0);
    queue.close(false);
    queue.add('late');
    succeed();
    pass(60_000);
    expect([queue.queued, queue.delivered, queue.lost, tries.length]).toEqual([0, 0, 10, 1]);
    expect(lines).toHaveLength(1);
  });

  it('of an SDK: what is queued is delivered, then the queue is closed', async () => {
    fill(3);
    const end = queue.shutdown();
    succeed();
    await end;
    expect([queue.delivered, queue.lost]).toEqual([3, 0]);
    queue.add('late');
    expect(queue.queued).toBe(0);
  });
});
