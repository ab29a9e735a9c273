import type { ChildProcess } from 'node:child_process';
import { Random } from '../../../core/random.ts';
import { startService } from '../../support/process.ts';
import { compareCounts, NumberedBodies } from '../load/numbered-bodies.ts';
import { reportedCalls } from '../load/report.ts';
import { Sending } from '../load/sending.ts';

/**
 * All processes of Rollcall are killed with SIGKILL at random moments while four connections send, and
 * started again on the same file. A body that was not acknowledged is sent again byte for byte, one that
 * was is never sent again. In the end the report must hold each body's calls once.
 */
export interface CrashOptions {
  kills: number;
  seed: number;
  /** Of the store; removed by the caller. */
  storePath: string;
  log?: (line: string) => void;
}

export interface CrashResult {
  kills: number;
  /** Bodies. */
  acknowledged: number;
  /** Sent a second or a further time. */
  resent: number;
  /** Calls. */
  lost: number;
  doubled: number;
}

const spansPerBody = 200;
/** Every fifth kill meets a start: opening, migrating, recovering what was not rolled up. */
const killsOfStarts = 0.2;
const startMsMost = 800;
const loadMsMost = 1500;

export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const { kills, seed, storePath, log = () => {} } = options;
  const random = new Random(seed);
  const startMs = Date.now();
  const bodies = new NumberedBodies(seed, startMs, spansPerBody);
  const sending = new Sending(bodies);
  const done = sending.run();
  for (let kill = 1; kill <= kills; kill += 1) {
    const whileStarting = random.next() < killsOfStarts;
    const services = new Services(storePath);
    if (whileStarting) {
      await delay(random.next() * startMsMost);
    } else {
      sending.connect(await services.collectorUrl);
      await delay(random.next() * loadMsMost);
    }
    await services.kill();
    sending.disconnect();
    const when = whileStarting ? 'its start' : 'load';
    log(
      `kill ${kill} during ${when}: ${sending.acknowledged} acknowledged, ${sending.resent} resent`,
    );
  }
  const services = new Services(storePath);
  try {
    sending.connect(await services.collectorUrl);
    sending.finish();
    await done;
    const window = {
      fromS: Math.floor(startMs / 1000) - 3600,
      toS: Math.ceil(Date.now() / 1000) + 3600,
    };
    const seen = await reportedCalls(await services.analyzerUrl, window);
    const { acknowledged, resent, truth } = sending;
    return { kills, acknowledged, resent, ...compareCounts(seen, truth) };
  } finally {
    await services.kill();
  }
}

/** A collector and an analyzer on one file, and their end. */
class Services {
  readonly collectorUrl: Promise<string>;
  readonly analyzerUrl: Promise<string>;
  #children: ChildProcess[] = [];

  constructor(storePath: string) {
    const store = { ROLLCALL_STORE: `sqlite:${storePath}` };
    const spawned = (child: ChildProcess): void => {
      this.#children.push(child);
    };
    const collectorEnv = { ...store, ROLLCALL_OTLP_HTTP_PORT: '0' };
    const analyzerEnv = { ...store, ROLLCALL_ANALYZER_PORT: '0' };
    this.collectorUrl = startService('collector/main.ts', collectorEnv, { spawned }).then(
      ({ addresses }) => addresses.otlp_http!,
    );
    this.analyzerUrl = startService('analyzer/main.ts', analyzerEnv, { spawned }).then(
      ({ addresses }) => Object.values(addresses)[0]!,
    );
    // Who is killed before it listens says so here; whoever waits for the address hears it too.
    this.collectorUrl.catch(() => {});
    this.analyzerUrl.catch(() => {});
  }

  async kill(): Promise<void> {
    const ended = this.#children.map((child) =>
      child.exitCode !== null || child.signalCode !== null
        ? Promise.resolve()
        : new Promise((resolve) => child.once('exit', resolve)),
    );
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
