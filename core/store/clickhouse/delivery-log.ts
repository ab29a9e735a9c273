import { createHash } from 'node:crypto';
import { CallBatch, type CallDictionary, type Delivery, type NewDimensions } from '../../call.ts';
import { limits } from '../../limits.ts';
import { digestBytes } from '../delivery/recent-deliveries.ts';
import { decodeCommit } from '../sqlite/calls/commit-columns.ts';
import { StoredCalls } from '../sqlite/calls/stored-calls.ts';
import { DamagedError } from '../sqlite/sealed.ts';
import type { Connection } from './connection.ts';
import { type BesideCalls, type DeliveryWords, numbersOf, splitBody } from './delivery-body.ts';
import { RowBinaryWriter, rowsOf } from './row-binary.ts';

/** A delivery as it is inserted. */
export interface DeliveryRow {
  project: string;
  digest: Uint8Array;
  calls: number;
  body: Uint8Array;
}

/** The project of rows that hold what came beside calls (delivery-body.ts). No project has this name. */
const beside = '';

/** Deliveries after a watermark, in the order in which the server took them, as one batch. */
export interface Delivered {
  batch: CallBatch;
  dimensions: NewDimensions;
  /** The number of the last INSERT that is in it. */
  watermark: number;
  /** There are more behind it. */
  isMore: boolean;
  /** When a collector received the last of them, by its clock; 0 without any. */
  receivedS: number;
  /** Names of deliveries that are damaged and left out. */
  damaged: string[];
}

/** Acknowledged deliveries: one row each. */
export class DeliveryLog {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Durable when it resolves. When it rejects, a delivery may be stored: sent again, it is the same one. */
  async insert(
    rows: readonly DeliveryRow[],
    others: BesideCalls,
    receivedS: number,
  ): Promise<void> {
    const writer = new RowBinaryWriter();
    const put = ({ project, digest, calls, body }: DeliveryRow): void => {
      writer.text(project);
      writer.fixed(digest);
      writer.uint32(receivedS);
      writer.uint32(calls);
      writer.text(body);
    };
    for (const row of rows) put(row);
    if (others.sideBySide.length > 0 || others.notes.length > 0) {
      const body = Buffer.from(JSON.stringify(others));
      const digest = createHash('sha256').update(body).digest().subarray(0, digestBytes);
      put({ project: beside, digest, calls: 0, body });
    }
    if (writer.length === 0) return;
    const columns = ['project', 'digest', 'received_s', 'calls', 'body'];
    await this.#connection.insert('delivery', columns, writer.bytes);
  }

  /** Which of the deliveries are stored already, received after `sinceS`: keys as of `deliveryKey`. */
  async known(deliveries: readonly Delivery[], sinceS: number): Promise<Set<string>> {
    const projects = [...new Set(deliveries.map(({ project }) => project))];
    const digests = deliveries.map(({ digest }) => hex(digest));
    const rows = await this.#connection.rows<{ project: string; found: string }>(
      `SELECT project, lower(hex(digest)) AS found FROM delivery
       WHERE project IN {projects:Array(String)} AND digest IN (SELECT toFixedString(unhex(arrayJoin({digests:Array(String)})), 16)) AND received_s > {since:Int64}`,
      { projects, digests, since: sinceS },
    );
    return new Set(rows.map(({ project, found }) => `${found} ${project}`));
  }

  /** The deliveries of every INSERT after a number that were received after `sinceS`, in no order. */
  async *digests(
    last: number,
    sinceS: number,
  ): AsyncIterable<{ block: number; project: string; digest: Uint8Array; receivedS: number }> {
    const pieces = this.#connection.stream(
      `SELECT _block_number, project, digest, received_s FROM delivery WHERE _block_number > {last:UInt64} AND received_s > {since:Int64} AND project != ''`,
      { last, since: sinceS },
    );
    yield* rowsOf(pieces, (reader) => ({
      block: reader.uint64(),
      project: reader.text().toString(),
      digest: Uint8Array.from(reader.fixed(digestBytes)),
      receivedS: reader.uint32(),
    }));
  }

  /** How many calls wait behind a watermark. */
  async waiting(watermark: number): Promise<number> {
    const [row] = await this.#connection.rows<{ rows: string }>(
      'SELECT count() AS rows FROM delivery WHERE _block_number > {watermark:UInt64}',
      { watermark },
    );
    return Number(row?.rows ?? 0);
  }

  /**
   * Reads whole INSERTs until `limits.deliveredCalls` calls are read; at least one.
   * @param dictionary which numbers the words; emptied before when it is large
   */
  async after(watermark: number, dictionary: CallDictionary): Promise<Delivered> {
    const inserts = await this.#connection.rows<{ block: string; taken: string }>(
      `SELECT _block_number AS block, sum(calls) AS taken FROM delivery
       WHERE _block_number > {watermark:UInt64} GROUP BY block ORDER BY block LIMIT 1000`,
      { watermark },
    );
    let last = watermark;
    let calls = 0;
    let taken = 0;
    for (const insert of inserts) {
      if (taken > 0 && calls + Number(insert.taken) > limits.deliveredCalls) break;
      calls += Number(insert.taken);
      last = Number(insert.block);
      taken += 1;
    }
    if (dictionary.size > limits.internedStrings) dictionary.reset();
    const stored = new StoredCalls(Math.max(1, calls));
    const batch = new CallBatch(stored.columns);
    const damaged: string[] = [];
    let receivedS = 0;
    if (taken > 0) {
      receivedS = await this.#read(watermark, last, dictionary, stored, batch, damaged);
    }
    batch.columns = stored.columns;
    batch.length = stored.length;
    const { weights } = stored;
    for (let i = 0; i < weights.length; i++) {
      batch.weights.add(weights.call[i]!, weights.weight[i]!, weights.copies[i]!);
    }
    const isMore = taken < inserts.length || inserts.length === 1000;
    const dimensions = dictionary.takeNew();
    return { batch, dimensions, watermark: last, isMore, receivedS, damaged };
  }

  async #read(
    from: number,
    to: number,
    dictionary: CallDictionary,
    stored: StoredCalls,
    batch: CallBatch,
    damaged: string[],
  ): Promise<number> {
    const pieces = this.#connection.stream(
      `SELECT project, digest, received_s, body FROM delivery WHERE _block_number > {from:UInt64} AND _block_number <= {to:UInt64}
       ORDER BY _block_number, _block_offset`,
      { from, to },
    );
    const rows = rowsOf(pieces, (reader) => ({
      project: reader.text().toString(),
      digest: Uint8Array.from(reader.fixed(digestBytes)),
      atS: reader.uint32(),
      body: Buffer.from(reader.text()),
    }));
    let receivedS = 0;
    for await (const { project, digest, body, atS } of rows) {
      receivedS = Math.max(receivedS, atS);
      if (project === beside) {
        const { sideBySide, notes } = JSON.parse(body.toString()) as BesideCalls;
        for (const [name, traits] of notes) {
          batch.notes.push({ endpoint: dictionary.endpoint(name), traits });
        }
        for (const [a, b] of sideBySide) {
          dictionary.sideBySide(dictionary.endpoint(a), dictionary.endpoint(b));
        }
        continue;
      }
      const firstCall = stored.length;
      const what = `delivery ${hex(digest)}`;
      let words: DeliveryWords;
      try {
        const parts = splitBody(body, what);
        decodeCommit(parts.columns, parts.traceIds, what, stored);
        words = parts.words;
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        damaged.push(error.message);
        continue;
      }
      const numbers = numbersOf(words, project, dictionary);
      const { endpoint, origin, client } = stored.columns;
      for (let i = firstCall; i < stored.length; i++) {
        endpoint[i] = numbers.endpoint[endpoint[i]!]!;
        origin[i] = numbers.origin[origin[i]!]!;
        client[i] = numbers.client[client[i]!]!;
      }
      batch.deliveries.push({ project, digest, firstCall, calls: stored.length - firstCall });
    }
    return receivedS;
  }
}

export function deliveryKey({ project, digest }: Pick<Delivery, 'project' | 'digest'>): string {
  return `${hex(digest)} ${project}`;
}

function hex(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex');
}
