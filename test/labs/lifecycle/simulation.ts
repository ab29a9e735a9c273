import { join } from 'node:path';
import { lifecycle } from '../../../analyzer/verdict/lifecycle.ts';
import { serviceKey, verdictModel } from '../../../analyzer/verdict/model.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../support/process.ts';
import { Claims } from './claims.ts';
import { observedDays, type SyntheticEndpoint, startMs, syntheticEndpoints } from './endpoints.ts';
import { Feed } from './feed.ts';
import { isWithin, syntheticServices } from './services.ts';

export interface SimulationOptions {
  seed: number;
  endpoints: number;
  services: number;
  /** Days between two looks at the verdicts. */
  stepDays: number;
  sureFrom: number;
}

export interface SimulationResult {
  spans: number;
  rollcall: Claims;
  /** Every dead endpoint, whatever its confidence. */
  status: Claims;
  others: Claims[];
  /** Confidences in ten bins: verdicts, the sum of stated confidences, and how many were true. */
  bins: { verdicts: number; stated: number; dead: number }[];
  /** Endpoints that had their last use 90 days before the end or earlier, and how many are claimed in the end. */
  deadLong: number;
  found: number;
  /** Endpoint, day and confidence of false claims. */
  mistakes: { kind: string; route: string; day: number; confidence: number; silent: number }[];
}

const dayMs = 86_400_000;
const rulesDays = [7, 30, 32, 90] as const;

/** Feeds 400 days to a store, and looks at the verdicts every few days. */
export async function simulate(
  { seed, endpoints: count, services: serviceCount, stepDays, sureFrom }: SimulationOptions,
  progress: (day: number) => void = () => undefined,
): Promise<SimulationResult> {
  const services = syntheticServices(seed, serviceCount);
  // Calls to a service that is away are not made: they are no uses.
  const endpoints = syntheticEndpoints(seed, count, serviceCount).map((endpoint) => {
    const { outages } = services[endpoint.service]!;
    return { ...endpoint, uses: endpoint.uses.filter((use) => !isWithin(outages, use)) };
  });
  const indexOf = new Map(endpoints.map((endpoint, i) => [keyOf(endpoint, services), i]));
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  let nowMs = startMs;
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  const reader = await openSqliteReader(path);
  const feed = new Feed(seed, endpoints, services, writer);
  const result: SimulationResult = {
    spans: 0,
    rollcall: new Claims(`Rollcall, confidence >= ${sureFrom}`),
    status: new Claims('Rollcall, status dead'),
    others: rulesDays.map((days) => new Claims(`silent for ${days} days`)),
    bins: Array.from({ length: 10 }, () => ({ verdicts: 0, stated: 0, dead: 0 })),
    deadLong: 0,
    found: 0,
    mistakes: [],
  };
  const thresholds = { coldAfterDays: 7, deadAfterDays: 30 };
  for (let day = 0; day < observedDays; day++) {
    nowMs = startMs + (day + 1) * dayMs;
    await feed.send(day);
    if (day < 30 || (day % stepDays !== 0 && day !== observedDays - 1)) continue;
    await writer.compact();
    await reader.snapshot('default', async (snapshot) => {
      const records = await snapshot.services();
      const context = { project: `seed ${seed}`, snapshot, nowMs };
      const model = await verdictModel(context, records, thresholds.coldAfterDays);
      const circumstances = { thresholds, nowMs, parameters: model.parameters };
      for (const record of await snapshot.endpoints({})) {
        const index = indexOf.get(`${record.service} ${record.method} ${record.display}`);
        if (index === undefined) continue;
        const { kind, uses, route } = endpoints[index]!;
        const last = uses.at(-1) ?? 0;
        const died = last < day + 1 ? last : undefined;
        const service = model.services.get(serviceKey(record))!;
        const { status, confidence, grounds } = lifecycle(record, service, circumstances);
        const isDead = status === 'dead';
        const isSure = isDead && confidence! >= sureFrom;
        if (isSure && died === undefined && !result.rollcall.isStanding(index)) {
          const silent = grounds!.silence.days;
          result.mistakes.push({ kind, route, day, confidence: confidence!, silent });
        }
        result.rollcall.note(index, kind, isSure, day + 1, died);
        result.status.note(index, kind, isDead, day + 1, died);
        const silentDays = (nowMs - record.lastCallMs) / dayMs;
        rulesDays.forEach((days, i) => {
          result.others[i]!.note(index, kind, silentDays >= days, day + 1, died);
        });
        if (confidence === null) continue;
        const bin = result.bins[Math.min(9, Math.floor(confidence * 10))]!;
        bin.verdicts += 1;
        bin.stated += confidence;
        if (died !== undefined) bin.dead += 1;
      }
    });
    progress(day);
  }
  endpoints.forEach(({ uses }, index) => {
    const last = uses.at(-1);
    if (last === undefined || last > observedDays - 90) return;
    result.deadLong += 1;
    if (result.rollcall.isStanding(index)) result.found += 1;
  });
  result.spans = feed.spans;
  await reader.close();
  await writer.close();
  folder.remove();
  return result;
}

function keyOf(
  { service, method, route }: SyntheticEndpoint,
  services: readonly { name: string }[],
): string {
  return `${services[service]!.name} ${method} ${route}`;
}
