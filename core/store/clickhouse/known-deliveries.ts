import type { Delivery } from '../../call.ts';
import { limits } from '../../limits.ts';
import { RecentDeliveries } from '../delivery/recent-deliveries.ts';
import { type DeliveryLog, deliveryKey } from './delivery-log.ts';

/**
 * The digests of the last hour in the log, of all collectors: 24 bytes each instead of a query for each batch. They are
 * read again when the last reading is older than `limits.knownDeliveriesMs`; a repeat that another collector took since
 * then is recognised when it is compacted.
 */
export class KnownDeliveries {
  readonly #log: DeliveryLog;
  readonly #uptimeMs: () => number;
  readonly #recent = new RecentDeliveries();
  readonly #projects = new Map<string, number>();
  /** The number of the last INSERT that was read. */
  #last = 0;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(log: DeliveryLog, uptimeMs = () => performance.now()) {
    this.#log = log;
    this.#uptimeMs = uptimeMs;
  }

  /**
   * For each delivery whether it is none of the last hour, nor a copy of one before it in the list.
   * @throws AppError `unavailable`
   */
  async areNew(deliveries: readonly Delivery[], nowS: number): Promise<boolean[]> {
    await this.keepUp(nowS);
    const own = new Set<string>();
    const isFirst = deliveries.map((delivery) => {
      const key = deliveryKey(delivery);
      if (own.has(key)) return false;
      own.add(key);
      return true;
    });
    const likely = deliveries.filter((delivery, i) => isFirst[i] && this.#mayHold(delivery, nowS));
    if (likely.length === 0) return isFirst;
    // Memory holds 8 of a digest's 16 bytes, the log all of them.
    const known = await this.#log.known(likely, nowS - limits.deliveryMemoryS);
    return isFirst.map((first, i) => first && !known.has(deliveryKey(deliveries[i]!)));
  }

  #mayHold({ project, digest }: Named, nowS: number): boolean {
    const isReceivedAfter = (receivedS: number, sinceS: number): boolean => receivedS > sinceS;
    const isNew = this.#recent.isNew(this.#numberOf(project), digest, nowS, isReceivedAfter);
    this.#recent.endTransaction();
    return !isNew;
  }

  /** Deliveries that this process has inserted. */
  add(deliveries: readonly Named[], nowS: number): void {
    for (const delivery of deliveries) this.#remember(delivery, nowS, nowS);
  }

  /** Reads what other collectors have inserted, if the last reading is old. @throws AppError `unavailable` */
  async keepUp(nowS: number): Promise<void> {
    const nowMs = this.#uptimeMs();
    if (nowMs - this.#readMs < limits.knownDeliveriesMs) return;
    let last = this.#last;
    const sinceS = nowS - limits.deliveryMemoryS;
    for await (const { block, receivedS, ...delivery } of this.#log.digests(last, sinceS)) {
      last = Math.max(last, block);
      if (!this.#mayHold(delivery, nowS)) this.#remember(delivery, receivedS, nowS);
    }
    this.#last = last;
    this.#readMs = nowMs;
  }

  #remember({ project, digest }: Named, receivedS: number, nowS: number): void {
    // A time stands in for the row: both are positive and below 2^32.
    this.#recent.add(this.#numberOf(project), digest, Math.max(1, receivedS), nowS);
  }

  #numberOf(project: string): number {
    const known = this.#projects.get(project);
    if (known !== undefined) return known;
    this.#projects.set(project, this.#projects.size + 1);
    return this.#projects.size;
  }
}

type Named = Pick<Delivery, 'project' | 'digest'>;
