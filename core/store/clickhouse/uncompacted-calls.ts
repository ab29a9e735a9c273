import { lastCallId } from '../sqlite/calls/call-tables.ts';
import type { Database } from '../sqlite/database.ts';
import { CallRows } from '../sqlite/usage/call-rows.ts';
import { CallLog, type DeliveryMemory } from '../sqlite/writer/call-log.ts';
import { Dimensions } from '../sqlite/writer/dimensions.ts';
import { EndpointTraitRows } from '../sqlite/writer/endpoint-traits.ts';
import { IgnoredConsumers } from '../sqlite/writer/ignored-consumers.ts';
import { SeenRequests } from '../sqlite/writer/seen-requests.ts';
import type { Delivered } from './delivery-log.ts';

/**
 * Adds deliveries to the tables of a replica for one snapshot, with the code that the compactor adds them with: rows get
 * the numbers that they will have, as long as nothing else is compacted before them.
 */
export class UncompactedCalls {
  readonly #db: Database;
  /** Digests of the last hour, which are many: they are kept from snapshot to snapshot. */
  #seen: SeenRequests | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** In a transaction that is rolled back. @returns whether the batches are as before, without a repeated delivery */
  add(waiting: readonly Delivered[]): boolean {
    let isUnchanged = true;
    const nowS = Math.max(...waiting.map(({ receivedS }) => receivedS));
    this.#seen ??= new SeenRequests(this.#db, nowS);
    this.#seen.recover(nowS);
    // ROLLCALL_IGNORE_CONSUMERS is the compactor's: for a second a new consumer counts, whoever it is.
    const dimensions = new Dimensions(this.#db, new IgnoredConsumers([]));
    const log = new CallLog(this.#db, dimensions, nowS, notCommitted(this.#seen));
    for (const { batch, dimensions: words } of waiting) {
      const { columns, deliveries } = batch;
      const weights = batch.weights.length > 0 ? batch.weights : undefined;
      dimensions.learn(words);
      dimensions.keepUp(nowS);
      const rows = new CallRows(batch.length);
      const firstId = lastCallId(this.#db) + 1;
      const stored = log.append(columns, weights, deliveries, firstId, nowS, rows);
      if (stored.includes(false)) isUnchanged = false;
      if (batch.notes.length > 0) new EndpointTraitRows(this.#db, dimensions).take(batch.notes);
      dimensions.writeSideBySide();
      dimensions.committed();
    }
    return isUnchanged;
  }
}

/** Recognises a delivery also where the one before is in the transaction in hand, which `seen` must not remember. */
function notCommitted(seen: SeenRequests): DeliveryMemory {
  const here = new Set<string>();
  return {
    isNew(projectRow, delivery, nowS) {
      const key = `${projectRow} ${Buffer.from(delivery.digest).toString('latin1')}`;
      if (here.has(key) || !seen.isNew(projectRow, delivery, nowS)) return false;
      here.add(key);
      return true;
    },
    write: (nowS) => seen.write(nowS),
    committed: () => {},
    recover: () => {},
  };
}
