import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { runToEnd, startAnalyzerProcess, startCollectorProcess } from '../../support/process.ts';
import { writeHistory } from '../bench/history.ts';
import { memory } from '../bench/process-cost.ts';
import { quantile } from '../bench/quantile.ts';
import { answerOfChild } from '../load/child-process.ts';
import type { AttackDone, AttackTask } from './attacker.ts';
import { attacks, type Target } from './attacks.ts';
import { type Healthy, type HealthySeen, healthyService } from './healthy.ts';

/**
 * A collector and an analyzer of their own on a store with 1,000 endpoints. A healthy sender sends before, during and
 * after each attack; in the end every call that it was acknowledged is looked for in the report.
 */
export interface AttackOptions {
  /** For the store; removed by the caller. */
  folder: string;
  /** Of each attack. */
  seconds: number;
  /** Only attacks whose name holds this. */
  only: string;
  /** Only all of them at once. */
  together: boolean;
  report: (found: Attacked) => void;
}

export interface Attacked {
  name: string;
  refuses: boolean;
  /** What the attack sent. */
  told: string;
  /** 99th percentile of the healthy sender's acknowledgements. */
  p99Ms: { before: number; during: number; after: number };
  /** Of its requests during the attack. */
  refusedPercent: number;
  collector: ServiceCost;
  analyzer: ServiceCost;
}

/** During an attack. */
export interface ServiceCost {
  /** The most it was. */
  rssMiB: number;
  /** The longest time that the event loop did nothing else. */
  stallMs: number;
}

export interface AttackResult {
  attacked: Attacked[];
  /** Calls of the healthy sender. */
  acknowledged: number;
  lost: number;
  doubled: number;
}

const allAtOnce = 'all of them at once';
const besideS = 5;
const preload = (path: string) => `--import=${fileURLToPath(new URL(path, import.meta.url))}`;

export async function runAttacks(options: AttackOptions): Promise<AttackResult> {
  const { folder, seconds, only, together: isTogether, report } = options;
  const storePath = `${folder}/rollcall.db`;
  const clockFile = `${folder}/clock`;
  const stalls = `${folder}/stalls`;
  mkdirSync(stalls);
  writeFileSync(clockFile, '0');
  await fill(storePath);
  const env = {
    ROLLCALL_AUTH: 'keys',
    // As the container's limit of docker-compose.yml.
    ROLLCALL_MEMORY_MIB: '768',
    SHIFTED_CLOCK: clockFile,
    ATTACK_STALLS: stalls,
    // As Node sizes its heaps in a container of 768 MiB.
    NODE_OPTIONS: `--max-old-space-size=384 ${preload('../../support/shifted-clock.mjs')} ${preload('stall.mjs')}`,
  };
  const [ingestKey, readKey] = [await key(storePath, 'ingest'), await key(storePath, 'read')];
  const collector = await startCollectorProcess(storePath, env);
  const analyzer = await startAnalyzerProcess(storePath, env);
  const target: Target = {
    otlpHttp: collector.url,
    otlpGrpc: collector.grpcUrl,
    analyzer: analyzer.url,
    ingestKey,
    readKey,
    storePath,
    clockFile,
  };
  const watch = (pid: number) => new Watch(pid, stalls);
  const attacked: Attacked[] = [];
  const sums = { sent: 0, acknowledged: 0 };
  const healthy = async (forS: number): Promise<HealthySeen> => {
    const { otlpHttp, otlpGrpc } = target;
    const task: Healthy = { otlpHttp, otlpGrpc, key: ingestKey, seconds: forS };
    const seen = await answerOfChild<Healthy, HealthySeen>(scriptOf('healthy.ts'), task);
    sums.sent += seen.sent;
    sums.acknowledged += seen.acknowledged;
    return seen;
  };
  const attack = (name: string): Promise<AttackDone> =>
    answerOfChild<AttackTask, AttackDone>(scriptOf('attacker.ts'), { name, target, seconds });
  try {
    const chosen = attacks.filter(({ name }) => name.includes(only));
    // Those that take the store away, or damage it, are no test of the others.
    const together = chosen.filter((_, n) => n < attacks.length - 3);
    const rounds = [
      ...(isTogether
        ? []
        : chosen.map(({ name, refuses = false }) => ({ name, refuses, names: [name] }))),
      ...(together.length > 1
        ? [{ name: allAtOnce, refuses: false, names: together.map(({ name }) => name) }]
        : []),
    ];
    let before = await healthy(besideS);
    for (const { name, refuses, names } of rounds) {
      const costs = [watch(collector.pid), watch(analyzer.pid)] as const;
      const under = Promise.all(names.map(attack));
      const during = await healthy(seconds);
      const told = (await under).map((done) => done.told);
      const [ofCollector, ofAnalyzer] = costs.map((cost) => cost.end());
      const after = await healthy(besideS);
      const found: Attacked = {
        name,
        refuses,
        told: names.length === 1 ? told[0]! : `${names.length} attacks`,
        p99Ms: { before: p99(before), during: p99(during), after: p99(after) },
        refusedPercent: (100 * during.refused) / during.sent,
        collector: ofCollector!,
        analyzer: ofAnalyzer!,
      };
      attacked.push(found);
      report(found);
      before = after;
    }
    return { attacked, ...(await compare(target, sums)) };
  } finally {
    await analyzer.stop();
    await collector.stop();
  }
}

const scriptOf = (name: string) => new URL(name, import.meta.url);
const p99 = ({ latenciesMs }: HealthySeen) => quantile(latenciesMs, 99);

/** Ninety days of a thousand endpoints: what reports and damage are about. */
async function fill(storePath: string): Promise<void> {
  const writer = await openSqliteWriter({ path: storePath, retention: defaultRetention });
  const nowS = Math.floor(Date.now() / 1000);
  await writeHistory(writer, { calls: 200_000, endpoints: 1_000, days: 90, nowS, seed: 9 });
  await writer.compact();
  await writer.close();
}

async function key(storePath: string, scope: string): Promise<string> {
  const env = { ROLLCALL_STORE: `sqlite:${storePath}` };
  const args = ['keys', 'create', '--project', 'default', '--scope', scope];
  const { output } = await runToEnd('cli/rollcall.mjs', env, args);
  return /rck_[\w-]{43}/.exec(output)![0];
}

/** What a process costs from now until `end`. */
class Watch {
  readonly #stallFile: string;
  readonly #fromMs = Date.now();
  readonly #timer: NodeJS.Timeout;
  #rssMiB = 0;

  constructor(pid: number, stalls: string) {
    this.#stallFile = `${stalls}/${pid}`;
    const sample = () => {
      this.#rssMiB = Math.max(this.#rssMiB, memory(pid).rssMiB);
    };
    sample();
    this.#timer = setInterval(sample, 100);
  }

  end(): ServiceCost {
    clearInterval(this.#timer);
    const lines = existsSync(this.#stallFile)
      ? readFileSync(this.#stallFile, 'utf8').trim().split('\n')
      : [];
    const stalls = lines
      .map((line) => line.split(',').map(Number) as [number, number])
      .filter(([atMs]) => atMs >= this.#fromMs);
    return { rssMiB: this.#rssMiB, stallMs: Math.max(0, ...stalls.map(([, ms]) => ms)) };
  }
}

/** The healthy sender's calls in the report: at least those that were acknowledged, at most those that were sent. */
async function compare(
  { analyzer, readKey }: Target,
  { sent, acknowledged }: { sent: number; acknowledged: number },
): Promise<Omit<AttackResult, 'attacked'>> {
  const answer = await fetch(`${analyzer}/api/v1/report?window=24h&service=${healthyService}`, {
    headers: { 'x-api-key': readKey },
  });
  if (answer.status !== 200)
    throw new Error(`the report is ${answer.status}: ${await answer.text()}`);
  const { summary } = (await answer.json()) as { summary: { total_requests: number } };
  const seen = summary.total_requests;
  return {
    acknowledged,
    lost: Math.max(0, acknowledged - seen),
    doubled: Math.max(0, seen - sent),
  };
}
