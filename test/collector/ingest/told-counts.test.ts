import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ClockAhead } from '../../../collector/extract/clock-skew.ts';
import { nothingExtracted, type SpanCounts } from '../../../collector/extract/counts.ts';
import type { ServiceArrival } from '../../../collector/extract/service-arrivals.ts';
import type { ArrivalRecorder } from '../../../collector/ingest/arrivals.ts';
import { type CallExtractor, Ingest } from '../../../collector/ingest/ingest.ts';
import { CollectorMetrics } from '../../../collector/metrics.ts';
import { type CallBatch, CallDictionary } from '../../../core/call.ts';
import { AppError } from '../../../core/error.ts';
import type { RouteDeclaration } from '../../../core/store/live-routes.ts';
import type { Conversion } from '../../../core/store/notices.ts';
import { HeldWriter } from '../support/held-writer.ts';

/** Ingest with an extractor that finds in a message whatever the test says. */
type Told = Partial<SpanCounts>;

class ToldExtractor implements CallExtractor {
  arrivals: readonly ServiceArrival[] = [];
  told: Told = {};

  extract(_project: string, _message: Buffer, batch: CallBatch): SpanCounts {
    const counts = { ...nothingExtracted(), ...this.told };
    for (let n = counts.stored; n > 0; n -= 1) batch.push();
    return counts;
  }

  committed(): void {}
  forget(): void {}
  reset(): void {
    this.resets += 1;
  }
  resets = 0;
  size = 0;
}

const sender = { connection: {}, address: '192.0.2.1', project: 'default' };

function open() {
  const writer = new HeldWriter();
  const extractor = new ToldExtractor();
  const metrics = new CollectorMetrics();
  /** Services of messages whose spans were counted as arrived, and of those with a span sent twice. */
  const arrived: string[] = [];
  const sameSpans: string[] = [];
  const clocksAhead: ClockAhead[] = [];
  const ingest = new Ingest({
    writer,
    dictionary: new CallDictionary(),
    extractor,
    metrics,
    arrivals: {
      spans: (project: string, found: readonly ServiceArrival[]) =>
        arrived.push(...found.map(({ service }) => `${project} ${service}`)),
    } as unknown as ArrivalRecorder,
    bounds: { inFlightBytes: 1000, waitingCalls: 100, batchCalls: 10, internedStrings: 1000 },
    onSameSpan: (service) => sameSpans.push(service),
    onClockAhead: (found) => clocksAhead.push(found),
  });
  /** Sends a message in which the extractor finds this. */
  const send = (text: string, told: Told, project = 'default') => {
    extractor.told = told;
    extractor.arrivals = [{ service: text } as ServiceArrival];
    return ingest.receive(project, Buffer.from(text));
  };
  return { ingest, writer, metrics, send, arrived, sameSpans, clocksAhead, extractor };
}

/** Values of a counter or gauge that are not 0, by their labels. */
async function valuesOf(metrics: CollectorMetrics, name: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const line of (await metrics.text()).split('\n')) {
    const [, labels = '', value] = new RegExp(`^${name}(?:\\{(.*)\\})? ([\\d.]+)`).exec(line) ?? [];
    if (value !== undefined && value !== '0') found[labels] = Number(value);
  }
  return found;
}

const copied = (uncommitted: ReadonlySet<CallBatch> = new Set()): Told => ({
  sameSpan: { service: 'shop', uncommitted },
});

test('each repair of a span is counted by its name', async () => {
  const { metrics, send } = open();
  await send('a', {
    clockSkewed: 1,
    durationsDropped: 2,
    invalidClients: 3,
    statusAssumed: 4,
    weightsIgnored: 5,
  });
  expect(await valuesOf(metrics, 'rollcall_calls_repaired_total')).toEqual({
    'repair="duration_zeroed"': 1,
    'repair="duration_dropped"': 2,
    'repair="client_dropped"': 3,
    'repair="status_assumed"': 4,
    'repair="weight_ignored"': 5,
  });
});

test('a message without any span changes no counter', async () => {
  const { metrics, send } = open();
  const own = async () =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('rollcall_'));
  const before = await own();
  await send('a', {});
  expect(await own()).toEqual(before);
});

test('a clock that is ahead is told once an hour for each instance', async () => {
  const { send, clocksAhead, metrics } = open();
  const ahead = { service: 'shop', instance: 'one', aheadS: 7 };
  await send('a', { clocksAhead: [ahead, { ...ahead, instance: 'two' }] });
  await send('b', { clocksAhead: [{ ...ahead, aheadS: 9 }] });
  expect(clocksAhead).toEqual([ahead, { ...ahead, instance: 'two' }]);
  expect(await metrics.text()).toContain('9');
  expect(metrics.clocksAhead().map(({ aheadS }) => aheadS)).toEqual([7, 9]);
});

describe('a message without calls', () => {
  test('counts as arrived each time, and waits for no commit', async () => {
    const { send, arrived, writer } = open();
    await send('a', { notServer: 1 });
    await send('a', { notServer: 1 });
    expect(arrived).toEqual(['default a', 'default a']);
    expect(writer.appended).toHaveLength(0);
  });

  test('with routes that a service declares waits for the commit that holds them', async () => {
    const { send, arrived, writer } = open();
    const declared = [{ project: 'default', service: 'shop' } as RouteDeclaration];
    let isAnswered = false;
    const sent = send('a', { declared }).then(() => {
      isAnswered = true;
    });
    await turn();
    await turn();
    expect(isAnswered).toBe(false);
    expect(writer.appended[0]!.batch.declarations).toEqual(declared);
    expect(arrived).toEqual(['default a']);
    await writer.settle(0);
    await sent;
  });

  test('with copies of spans that are durable is answered at once', async () => {
    const { send, sameSpans, arrived, writer } = open();
    await send('a', copied());
    expect([sameSpans, arrived]).toEqual([['shop'], ['default a']]);
    await turn();
    expect(writer.appended).toHaveLength(0);
  });

  test('with copies of spans of a batch that is not committed waits for it', async () => {
    const { send, writer } = open();
    const first = send('a', { stored: 1 });
    await turn();
    let isAnswered = false;
    const second = send('b', copied(new Set([writer.appended[0]!.batch]))).then(() => {
      isAnswered = true;
    });
    await turn();
    expect(isAnswered).toBe(false);
    await writer.settle(0);
    await writer.settle(1);
    await Promise.all([first, second]);
  });
});

describe('a message that was sent before', () => {
  const three = { nested: 0, sibling: 0, same_span: 3 };

  test('counts as arrived once, and its spans as a repeated delivery', async () => {
    const { send, sameSpans, arrived, metrics } = open();
    await send('a', { ...copied(), duplicate: { ...three } });
    await send('a', { ...copied(), duplicate: { ...three, same_span: 5 } });
    expect([sameSpans, arrived]).toEqual([['shop'], ['default a']]);
    expect(await valuesOf(metrics, 'rollcall_spans_total')).toEqual({
      'outcome="duplicate",reason="same_span"': 3,
      'outcome="duplicate",reason=""': 5,
    });
  });

  test('without copies counts none', async () => {
    const { send, metrics } = open();
    const declared: RouteDeclaration[] = [];
    await send('a', copied());
    await send('a', copied());
    send('b', { declared });
    expect(await valuesOf(metrics, 'rollcall_spans_total')).toEqual({});
  });

  test('by another project is another one', async () => {
    const { send, arrived } = open();
    await send('a', copied());
    await send('a', copied(), 'other');
    expect(arrived).toEqual(['default a', 'other a']);
  });

  test('is known until 4,096 others came', async () => {
    const { send, arrived } = open();
    for (let n = 0; n < 4_096; n += 1) await send(`${n}`, copied());
    await send('0', copied());
    expect(arrived).toHaveLength(4_096);
    await send('4096', copied());
    await send('1', copied());
    expect(arrived).toHaveLength(4_097);
    await send('0', copied());
    expect(arrived.at(-1)).toBe('default 0');
    expect(arrived).toHaveLength(4_098);
  });
});

describe('the state of the store', () => {
  const notices = {
    heldStep: { aheadS: 7200, confirmedInS: 3600 },
    conversion: { left: 1, total: 4 } as Conversion,
    damaged: ['usage 7'],
  };

  test('is proved by the writer, and is nothing that an operator must know', async () => {
    const { ingest, writer } = open();
    let checks = 0;
    writer.check = async () => {
      checks += 1;
    };
    expect(await Promise.all([ingest.check(), ingest.check()])).toEqual(['', '']);
    expect(checks).toBe(1);
  });

  test('names a clock that is ahead, a conversion and damage', async () => {
    const { ingest, writer } = open();
    Object.assign(writer, notices);
    expect(await ingest.check()).toBe(
      "the clock is 2.0 h ahead of the store's time: nothing is deleted by it until it has run on for 1.0 h more; 3 of 4 raw calls of an older release are converted; damaged and left out: usage 7; rollcall check reads the whole store",
    );
  });

  test('is unavailable when it cannot commit, and when the collector closes', async () => {
    const { ingest, writer } = open();
    const locked = new AppError('unavailable', 'locked');
    writer.check = () => Promise.reject(locked);
    await expect(ingest.check()).rejects.toBe(locked);
    writer.check = async () => {};
    await ingest.close();
    await expect(ingest.check()).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the collector is shutting down',
    });
  });

  test('shows in metrics: damaged rows, and the bytes of bodies and of calls that wait', async () => {
    const { ingest, writer, metrics, send } = open();
    expect(metrics.damagedRows()).toBe(0);
    Object.assign(writer, notices);
    expect(metrics.damagedRows()).toBe(1);
    ingest.admit(sender, 10).grow(7);
    expect(metrics.queueBytes()).toBe(7);
    const sent = send('a', { stored: 3 });
    expect(metrics.queueBytes()).toBe(7 + 3 * 80);
    await turn();
    await writer.settle(0);
    await sent;
    expect(metrics.queueBytes()).toBe(7);
  });
});

describe('a refusal before the body', () => {
  test('is overloaded while too many calls wait', async () => {
    const { ingest, send } = open();
    send('a', { stored: 100 });
    expect(() => ingest.admit(sender)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  });

  test('is unavailable while a commit is tried again, and when the collector closes', async () => {
    const { ingest, send, writer } = open();
    const unavailable = expect.objectContaining({ code: 'unavailable' });
    const first = send('a', { stored: 1 });
    await turn();
    const failed = expect(first).rejects.toMatchObject({ code: 'unavailable' });
    await writer.settle(0, new AppError('unavailable', 'disk full'));
    await failed;
    const second = send('a', { stored: 1 });
    expect(() => ingest.admit(sender)).toThrow(unavailable);
    await writer.settle(1);
    await second;
    await ingest.close();
    expect(() => ingest.admit(sender)).toThrow(unavailable);
  });
});

test('a message without calls that comes during a commit makes no commit of its own', async () => {
  const { send, writer } = open();
  const first = send('a', { stored: 1 });
  await turn();
  await send('b', { notServer: 1 });
  await writer.settle(0);
  await first;
  await turn();
  expect(writer.appended).toHaveLength(1);
});

test('the words of an epoch are forgotten above their bound, and not at it', async () => {
  const { send, writer, extractor } = open();
  for (const [at, size] of [1000, 1001].entries()) {
    extractor.size = size;
    const sent = send(`${at}`, { stored: 1 });
    await turn();
    await writer.settle(at);
    await sent;
    expect(extractor.resets).toBe(at);
  }
});

describe('a close', () => {
  /** Whether it has ended after all that can happen without a commit. */
  async function hasEnded(closing: Promise<void>): Promise<boolean> {
    let ended = false;
    closing.then(() => {
      ended = true;
    });
    for (let n = 0; n < 5; n += 1) await turn();
    return ended;
  }

  test('without anything taken ends at once, also behind a message without calls', async () => {
    expect(await hasEnded(open().ingest.close())).toBe(true);
    const { ingest, send } = open();
    await send('a', { notServer: 1 });
    expect(await hasEnded(ingest.close())).toBe(true);
  });

  test('waits for a commit that runs, and for calls that wait for the next one', async () => {
    const { ingest, send, writer } = open();
    const first = send('a', { stored: 1 });
    await turn();
    const closing = ingest.close();
    expect(await hasEnded(closing)).toBe(false);
    await writer.settle(0);
    await first;
    expect(await hasEnded(closing)).toBe(true);
    const other = open();
    const sent = other.send('a', { stored: 1 });
    const closes = other.ingest.close();
    expect(await hasEnded(closes)).toBe(false);
    await other.writer.settle(0);
    await sent;
    expect(await hasEnded(closes)).toBe(true);
  });
});
