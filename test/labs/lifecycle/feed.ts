import { createHash } from 'node:crypto';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { CallDictionary } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { Random } from '../../../core/random.ts';
import type { SqliteCallWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { type SyntheticEndpoint, startMs } from './endpoints.ts';
import { isWithin, type SyntheticService } from './services.ts';

/** Sends synthetic calls as OTLP spans through the extractor to a store, one day after another. */
export class Feed {
  spans = 0;
  readonly #services: readonly SyntheticService[];
  readonly #writer: SqliteCallWriter;
  readonly #dictionary = new CallDictionary();
  readonly #extractor: Extractor;
  readonly #random: Random;
  /** By day and service. */
  readonly #calls: Call[][][] = [];
  #nowMs = startMs;

  constructor(
    seed: number,
    endpoints: readonly SyntheticEndpoint[],
    services: readonly SyntheticService[],
    writer: SqliteCallWriter,
  ) {
    this.#services = services;
    this.#writer = writer;
    this.#random = new Random(seed, 1);
    const config = readConfig({});
    this.#extractor = new Extractor({
      dictionary: this.#dictionary,
      config,
      now: () => this.#nowMs,
    });
    services.forEach(({ pulse }, service) => {
      for (const at of pulse)
        this.#add(service, { at, method: 'GET', route: '/pulse', status: 200 });
    });
    for (const { service, method, route, uses, probes } of endpoints) {
      for (const at of uses) {
        this.#add(service, {
          at,
          method,
          route,
          status: this.#random.pick([200, 200, 200, 302, 500]),
        });
      }
      for (const at of probes) {
        this.#add(service, { at, method, route, status: this.#random.pick([401, 404, 410]) });
      }
    }
  }

  /** Sends the calls of a day. */
  async send(day: number): Promise<void> {
    this.#nowMs = startMs + (day + 1) * 86_400_000;
    const batch = this.#writer.newBatch();
    this.#calls[day]?.forEach((calls, service) => {
      const sent = calls.filter(({ at }) => this.#arrives(this.#services[service]!, at));
      if (sent.length === 0) return;
      const body = this.#encode(this.#services[service]!, sent, day);
      const firstCall = batch.length;
      this.#extractor.extract('default', body, batch);
      const digest = createHash('md5').update(body).digest();
      const stored = batch.length - firstCall;
      batch.deliveries.push({ project: 'default', digest, firstCall, calls: stored });
      this.spans += sent.length;
    });
    if (batch.length > 0) await this.#writer.append(batch, this.#dictionary.takeNew());
  }

  #add(service: number, call: Call): void {
    const day = Math.floor(call.at);
    const ofDay = this.#calls[day] ?? [];
    this.#calls[day] = ofDay;
    const ofService = ofDay[service];
    if (ofService) ofService.push(call);
    else ofDay[service] = [call];
  }

  #arrives({ outages, lost, sampling }: SyntheticService, at: number): boolean {
    const isSampled = at >= sampling.fromDay;
    if (isSampled && this.#random.next() >= sampling.probability) return false;
    return !isWithin(outages, at) && !isWithin(lost, at);
  }

  #encode({ name, sampling }: SyntheticService, calls: readonly Call[], day: number): Buffer {
    const isSampled = day >= Math.ceil(sampling.fromDay) && sampling.probability < 1;
    const traceState = isSampled ? `ot=th:${thresholdOf(sampling.probability)}` : '';
    const spans = calls.map(({ at, method, route, status }): Span => {
      const endNs = BigInt(Math.floor(startMs + at * 86_400_000)) * 1_000_000n;
      return {
        traceId: this.#bytes(16),
        spanId: this.#bytes(8),
        ...(traceState && { traceState }),
        name: `${method} ${route}`,
        kind: 2,
        startTimeUnixNano: endNs - 5_000_000n,
        endTimeUnixNano: endNs,
        attributes: [
          { key: 'http.request.method', value: method },
          { key: 'http.route', value: route },
          { key: 'http.response.status_code', value: status },
          { key: 'user_agent.original', value: `client-${route.length % 5}/1.0` },
        ],
      };
    });
    const attributes = [{ key: 'service.name', value: name }];
    return encodeTraces([{ attributes, scopes: [{ name: 'http', spans }] }]);
  }

  #bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 4) bytes.writeUInt32BE(this.#random.u32(), at);
    return bytes;
  }
}

interface Call {
  at: number;
  method: string;
  route: string;
  status: number;
}

/** OpenTelemetry's `th`: the rejection threshold of 56 bits in hexadecimal digits, without zeros at the end. */
export function thresholdOf(probability: number): string {
  const threshold = Math.round((1 - probability) * 2 ** 48) * 2 ** 8;
  return threshold.toString(16).padStart(14, '0').replace(/0+$/, '') || '0';
}
