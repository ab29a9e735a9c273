import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SpanCounts } from '../../../collector/extract/counts.ts';
import { messageDigest } from '../../../collector/ingest/digest.ts';
import { type CallExtractor, Ingest, type IngestBounds } from '../../../collector/ingest/ingest.ts';
import { CollectorMetrics } from '../../../collector/metrics.ts';
import { type CallBatch, CallDictionary } from '../../../core/call.ts';
import { AppError } from '../../../core/error.ts';
import { waitFor } from '../../support/wait.ts';
import { HeldWriter } from '../support/held-writer.ts';

/**
 * Reads messages such as `3 stored, 2 not_server, relies 0`; each call's client is new to the dictionary. The last
 * says that spans were left out as copies of spans in batch 0.
 */
class TextExtractor implements CallExtractor {
  readonly #dictionary: CallDictionary;
  readonly #batches: CallBatch[] = [];
  #client = 0;

  constructor(dictionary: CallDictionary) {
    this.#dictionary = dictionary;
  }

  extract(_project: string, message: Buffer, batch: CallBatch): SpanCounts {
    const text = message.toString();
    if (text.startsWith('bad')) throw new AppError('invalid', text);
    if (!this.#batches.includes(batch)) this.#batches.push(batch);
    const relies = /relies (\d+)/.exec(text)?.[1];
    const reliesOn = relies === undefined ? undefined : this.#batches[Number(relies)]!;
    const count = (name: string) => Number(new RegExp(`(\\d+) ${name}`).exec(text)?.[1] ?? 0);
    for (let n = count('stored'); n > 0; n -= 1) {
      const at = batch.push();
      this.#client += 1;
      batch.columns.client[at] = this.#dictionary.client(`client ${this.#client}`);
    }
    return {
      stored: count('stored'),
      notServer: count('not_server'),
      notHttp: count('not_http'),
      excluded: { method: count('excluded'), route: 0 },
      rejected: {
        trace_id: count('trace_id'),
        span_id: 0,
        time_zero: 0,
        future: count('future'),
        too_old: 0,
      },
      duplicate: { nested: count('nested'), sibling: count('sibling'), same_span: 0 },
      clockSkewed: 0,
      durationsDropped: 0,
      invalidClients: 0,
      statusAssumed: 0,
      weightsIgnored: 0,
      clocksAhead: [],
      ...(reliesOn && { sameSpan: { service: 'shop', uncommitted: new Set([reliesOn]) } }),
    };
  }

  readonly forgotten: CallBatch[] = [];
  readonly durable: CallBatch[] = [];

  committed(batch: CallBatch): void {
    this.durable.push(batch);
  }

  forget(batch: CallBatch): void {
    this.forgotten.push(batch);
  }

  reset(): void {}

  get size(): number {
    return this.#dictionary.size;
  }
}

const sender = { connection: {}, address: '192.0.2.1', project: 'default' };

function open(bounds: Partial<IngestBounds> = {}) {
  const writer = new HeldWriter();
  const dictionary = new CallDictionary();
  const metrics = new CollectorMetrics();
  const states: (string | undefined)[] = [];
  const extractor = new TextExtractor(dictionary);
  const ingest = new Ingest({
    writer,
    dictionary,
    extractor,
    metrics,
    bounds: {
      inFlightBytes: 1000,
      waitingCalls: 100,
      batchCalls: 10,
      internedStrings: 1000,
      ...bounds,
    },
    onState: (error) => states.push(error?.message),
  });
  const settled: string[] = [];
  const send = (text: string) => {
    const sent = ingest.receive('default', Buffer.from(text));
    sent.then(
      () => settled.push(text),
      (error: AppError) => settled.push(`${text}: ${error.code}`),
    );
    return sent;
  };
  return { ingest, writer, metrics, send, settled, states, extractor };
}

async function counted(metrics: CollectorMetrics): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const line of (await metrics.text()).split('\n')) {
    const [, outcome, reason, count] =
      /^rollcall_spans_total\{outcome="(\w+)",reason="(\w*)"\} (\d+)/.exec(line) ?? [];
    if (count !== undefined && count !== '0')
      found[reason ? `${outcome}.${reason}` : outcome!] = Number(count);
  }
  return found;
}

test('an answer waits for the commit, and one commit is made at a time', async () => {
  const { writer, send, settled } = open();
  send('1 stored a');
  send('2 stored b');
  await turn();
  await turn();
  expect(writer.appended).toHaveLength(1);
  expect(
    writer.appended[0]!.batch.deliveries.map(({ firstCall, calls }) => [firstCall, calls]),
  ).toEqual([
    [0, 1],
    [1, 2],
  ]);
  send('1 stored c');
  send('1 stored d');
  await turn();
  await turn();
  expect(writer.appended).toHaveLength(1);
  expect(settled).toEqual([]);
  await writer.settle(0);
  expect(settled).toEqual(['1 stored a', '2 stored b']);
  await waitFor('the second batch', () => writer.appended.length >= 2, { everyMs: 0 });
  expect(writer.appended[1]!.batch.length).toBe(2);
  await writer.settle(1);
  expect(settled).toHaveLength(4);
});

test('a message without calls is answered without a commit, one that cannot be read leaves nothing', async () => {
  const { writer, send, metrics } = open();
  expect(await send('5 not_server, 2 not_http')).toBeUndefined();
  await expect(send('bad')).rejects.toMatchObject({ code: 'invalid' });
  await turn();
  expect(writer.appended).toHaveLength(0);
  expect(await counted(metrics)).toEqual({ not_server: 5, not_http: 2 });
});

test('every span is counted once, and a repeated delivery as duplicates', async () => {
  const { writer, send, metrics } = open();
  const text = '3 stored, 4 not_server, 1 excluded, 2 nested, 1 sibling, 2 future, 1 trace_id';
  const first = send(text);
  await turn();
  await writer.settle(0);
  expect(await first).toEqual({
    rejected: 3,
    message: expect.stringContaining('3 spans were not counted: 1 with a trace_id'),
  });
  const second = send(text);
  await turn();
  await writer.settle(1);
  await second;
  expect(await counted(metrics)).toEqual({
    stored: 3,
    duplicate: 3,
    'duplicate.nested': 4,
    'duplicate.sibling': 2,
    not_server: 8,
    'excluded.method': 2,
    'rejected.future': 4,
    'rejected.trace_id': 2,
  });
});

test('a failed commit fails all its deliveries, and the next one tries again', async () => {
  const { ingest, writer, send, settled, states, metrics, extractor } = open();
  send('1 stored a');
  send('1 stored b');
  await turn();
  await writer.settle(0, new AppError('unavailable', 'disk full'));
  expect(settled).toEqual(['1 stored a: unavailable', '1 stored b: unavailable']);
  expect(extractor.forgotten.map((batch) => batch === writer.appended[0]?.batch)).toEqual([true]);
  expect(states).toEqual(['disk full']);
  // The next one is let through to find out; while it does, others are refused before they are read.
  ingest.admit(sender, 10).release();
  send('1 stored a');
  await turn();
  expect(() => ingest.admit(sender, 10)).toThrow('the store cannot commit');
  await writer.settle(1);
  ingest.admit(sender, 10).release();
  expect(settled.at(-1)).toBe('1 stored a');
  expect(states).toEqual(['disk full', undefined]);
  expect(await counted(metrics)).toEqual({ stored: 1, 'rejected.unavailable': 2 });
});

test('a request that relied on a batch that is lost must be sent again, and is not known then', async () => {
  const { writer, send, settled, extractor } = open();
  send('1 stored a');
  await turn();
  // While the first batch commits: copies of its spans, with and without calls of their own.
  const texts = ['1 stored b, relies 0', 'relies 0', '1 stored c'];
  for (const text of texts) send(text);
  await turn();
  await writer.settle(0, new AppError('unavailable', 'disk full'));
  await writer.settle(1);
  expect(settled).toEqual([
    '1 stored a: unavailable',
    '1 stored b, relies 0: unavailable',
    'relies 0: unavailable',
    '1 stored c',
  ]);
  const [lost, kept] = writer.appended.map(({ batch }) => batch);
  expect([extractor.forgotten, extractor.durable]).toEqual([[lost], [kept]]);
  const digests = kept!.deliveries.map(({ digest }) => Buffer.from(digest).toString('hex'));
  const own = texts.map((text) => Buffer.from(messageDigest(Buffer.from(text))).toString('hex'));
  expect(digests.map((digest, i) => digest === own[i])).toEqual([false, false, true]);
});

test('a request that relied on a batch that is durable then is acknowledged under its own digest', async () => {
  const { writer, send, settled } = open();
  send('1 stored a');
  await turn();
  send('relies 0');
  await turn();
  await writer.settle(0);
  await writer.settle(1);
  expect(settled).toEqual(['1 stored a', 'relies 0']);
  const { digest } = writer.appended[1]!.batch.deliveries[0]!;
  expect(Buffer.from(digest)).toEqual(Buffer.from(messageDigest(Buffer.from('relies 0'))));
});

test('a batch with as many calls as its bound is full', async () => {
  const { writer, send } = open({ batchCalls: 8 });
  for (const name of ['a', 'b', 'c']) send(`8 stored ${name}`);
  await turn();
  for (let at = 0; at < 3; at += 1) await writer.settle(at);
  expect(writer.appended.map(({ batch }) => batch.length)).toEqual([8, 8, 8]);
});

test('full batches are queued, and their words belong to them', async () => {
  const { writer, send } = open();
  for (const name of ['a', 'b', 'c', 'd', 'e']) send(`8 stored ${name}`);
  await turn();
  for (let at = 0; at < 3; at += 1) {
    await writer.settle(at);
  }
  expect(writer.appended.map(({ batch }) => batch.length)).toEqual([16, 16, 8]);
  expect(writer.appended.map(({ words }) => words.clients.length)).toEqual([16, 16, 8]);
  expect(writer.appended[1]!.words.clients[0]).toBe('client 17');
  // The store may build a batch on the memory of an earlier one, so every batch is one of its making.
  expect(writer.appended.map(({ batch }) => batch)).toEqual(writer.made.slice(0, 3));
  writer.appended.forEach(({ batch }, i) => {
    expect(batch).toBe(writer.made[i]);
  });
});

test('too many words begin a new epoch between two batches', async () => {
  const { writer, send } = open({ internedStrings: 5 });
  send('8 stored a');
  send('8 stored b');
  send('8 stored c');
  await turn();
  await writer.settle(0);
  await writer.settle(1);
  const [first, second] = writer.appended;
  expect(first!.words.epoch).toBe(0);
  expect(first!.words.clients).toHaveLength(16);
  expect(second!.words.epoch).toBe(1);
  expect(second!.words.clients).toHaveLength(8);
  expect(second!.batch.columns.client[0]).toBe(1);
});

test('a full queue refuses before a body is read, and takes again when it has drained', async () => {
  const { ingest, writer, send } = open();
  send('99 stored a');
  await turn();
  ingest.admit(sender, 1).release();
  send('1 stored b');
  expect(() => ingest.admit(sender, 1)).toThrow(
    '100 calls wait for their commit; the bound is 100',
  );
  await writer.settle(0);
  ingest.admit(sender, 1).release();
});

test('closing refuses new requests and waits for those that were taken', async () => {
  const { ingest, writer, send, settled } = open();
  send('8 stored a');
  send('8 stored b');
  send('8 stored c');
  let closed = false;
  const closing = ingest.close().then(() => {
    closed = true;
  });
  expect(() => ingest.admit(sender, 1)).toThrow('shutting down');
  await turn();
  await writer.settle(0);
  expect(closed).toBe(false);
  await writer.settle(1);
  await closing;
  expect(settled).toHaveLength(3);
});

test('the state of commits is told when it changes, and only then', async () => {
  const { writer, send, states } = open();
  const full = new AppError('unavailable', 'disk full');
  for (const [at, error] of [undefined, full, full, undefined, undefined, full].entries()) {
    const sent = send(`1 stored ${at}`);
    await turn();
    if (error === undefined) {
      await writer.settle(at);
      await sent;
    } else {
      const refused = expect(sent).rejects.toMatchObject({
        code: 'unavailable',
        message: 'the store could not commit',
        cause: full,
      });
      await writer.settle(at, error);
      await refused;
    }
  }
  expect(states).toEqual(['disk full', undefined, 'disk full']);
});
