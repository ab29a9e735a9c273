import { setTimeout as pause } from 'node:timers/promises';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../../support/process.ts';
import { NumberedBodies } from '../load/numbered-bodies.ts';
import { askJson, reportedCalls } from '../load/report.ts';
import { Sending } from '../load/sending.ts';
import { freePort, launchIn, listening, type Service } from './service.ts';
import type { Toolchain } from './toolchain.ts';
import { startMsMost, total, unequal, type Verdict } from './trial.ts';

/**
 * An OpenTelemetry Collector between the senders and Rollcall, with the exporter's own queue and retries.
 * Half-way it is ended and started again, then Rollcall is killed and started again: what the Collector
 * acknowledged must be counted once each.
 */
export interface Relay {
  name: string;
  /** Its configuration, beside the program's manifest. */
  config: 'otlp.yaml' | 'otlphttp.yaml';
  compression: 'gzip' | 'zstd';
}

export const relays: readonly Relay[] = [
  { name: 'otelcol-otlp', config: 'otlp.yaml', compression: 'gzip' },
  { name: 'otelcol-otlphttp', config: 'otlphttp.yaml', compression: 'gzip' },
  { name: 'otelcol-otlp-zstd', config: 'otlp.yaml', compression: 'zstd' },
  { name: 'otelcol-otlphttp-zstd', config: 'otlphttp.yaml', compression: 'zstd' },
];

/** Builds the Collector's own distribution, as its documentation says. */
export const otelcol: Toolchain = {
  name: 'otelcol',
  needs: [['go', 'version']],
  locks: ['manifest.yaml'],
  build: [
    ['sh', '-c', 'GOBIN="$PWD" go install -p 1 go.opentelemetry.io/collector/cmd/builder@v0.164.0'],
    // The builder is newer than what it builds: of that release all modules are to be had.
    [
      'env',
      'CGO_ENABLED=0',
      'GOFLAGS=-p=1',
      './builder',
      '--skip-strict-versioning',
      '--config=manifest.yaml',
    ],
  ],
};

const spansPerBody = 20;
/** Bodies between one event and the next. */
const bodiesEach = 150;
/** The exporter waits up to 7.5 s before its first repetition and half as long again before each further one. */
const drainMsMost = 120_000;

/** @param program the Collector's; @param folder of the configurations */
export async function tryRelay(
  relay: Relay,
  program: string,
  folder: string,
  log: (line: string) => void,
): Promise<Verdict> {
  const place = temporaryFolder();
  const scene = await Scene.open(relay, { program, folder, store: `${place.path}/rollcall.db` });
  try {
    const { sending } = scene;
    const startMs = Date.now();
    await scene.start();
    const done = sending.run();
    await scene.acknowledgedMore(bodiesEach);
    await scene.restartCollector();
    await scene.acknowledgedMore(bodiesEach);
    await scene.killRollcall();
    // The Collector goes on taking what it cannot hand on.
    await scene.acknowledgedMore(bodiesEach);
    await scene.startRollcall();
    await scene.acknowledgedMore(bodiesEach);
    sending.finish();
    await done;
    // While Rollcall is away the Collector's queue fills: then it refuses, and says so.
    const { acknowledged, resent, refusals } = sending;
    const statuses = [...new Set(refusals.map(({ status }) => status))].join(', ') || 'none';
    log(
      `${relay.name}: ${acknowledged} bodies, ${resent} times one was sent again (statuses: ${statuses})`,
    );
    return await scene.judge(startMs);
  } finally {
    await scene.close();
    place.remove();
  }
}

interface Place {
  program: string;
  folder: string;
  store: string;
}

/** The processes of one trial. What starts again takes the same ports: nobody tells the other side. */
class Scene {
  readonly sending: Sending;
  readonly #relay: Relay;
  readonly #place: Place;
  readonly #ports: readonly [http: number, grpc: number, otlpHttp: number, otlpGrpc: number];
  #collector: Service | undefined;
  #rollcall: Running | undefined;

  private constructor(relay: Relay, place: Place, ports: [number, number, number, number]) {
    this.#relay = relay;
    this.#place = place;
    this.#ports = ports;
    this.sending = new Sending(
      new NumberedBodies(relays.indexOf(relay) + 1, Date.now(), spansPerBody),
    );
  }

  static async open(relay: Relay, place: Place): Promise<Scene> {
    return new Scene(relay, place, [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ]);
  }

  async start(): Promise<void> {
    await this.startRollcall();
    await this.#startCollector();
  }

  async startRollcall(): Promise<void> {
    const [, , otlpHttp, otlpGrpc] = this.#ports;
    this.#rollcall = await startCollectorProcess(this.#place.store, {
      ROLLCALL_OTLP_HTTP_PORT: String(otlpHttp),
      ROLLCALL_OTLP_GRPC_PORT: String(otlpGrpc),
    });
  }

  async #startCollector(): Promise<void> {
    const [http, grpc, otlpHttp, otlpGrpc] = this.#ports;
    const { program, folder } = this.#place;
    const { config, compression } = this.#relay;
    this.#collector = launchIn(folder, [program, `--config=${config}`], {
      OTELCOL_HTTP: `127.0.0.1:${http}`,
      OTELCOL_GRPC: `127.0.0.1:${grpc}`,
      ROLLCALL_HTTP: `http://127.0.0.1:${otlpHttp}`,
      ROLLCALL_GRPC: `127.0.0.1:${otlpGrpc}`,
      COMPRESSION: compression,
    });
    await listening(http, this.#collector, startMsMost);
    this.sending.connect(`http://127.0.0.1:${http}`);
  }

  /**
   * With SIGTERM under load: its queue is in memory, and it hands it on before it ends as long as Rollcall
   * answers. Whoever had no answer sends again.
   */
  async restartCollector(): Promise<void> {
    await this.#endCollector();
    await this.#startCollector();
  }

  async #endCollector(): Promise<void> {
    const collector = this.#collector!;
    collector.child.kill('SIGTERM');
    this.sending.disconnect();
    const { code, output } = await collector.ended;
    if (code !== 0) throw new Error(`the Collector ended with ${code}:\n${output.slice(-3000)}`);
  }

  async killRollcall(): Promise<void> {
    await this.#rollcall!.stop('SIGKILL');
  }

  /** Waits until so many more bodies are acknowledged. */
  async acknowledgedMore(bodies: number): Promise<void> {
    const enough = this.sending.acknowledged + bodies;
    const until = Date.now() + drainMsMost;
    while (this.sending.acknowledged < enough) {
      const { exitCode } = this.#collector!.child;
      if (exitCode !== null || Date.now() > until) {
        const said = this.#collector!.output().slice(-3000);
        throw new Error(
          `${this.sending.acknowledged} bodies acknowledged, not ${enough}:\n${said}`,
        );
      }
      await pause(5);
    }
  }

  /** Waits for the Collector's retries, ends it, and compares. */
  async judge(startMs: number): Promise<Verdict> {
    const analyzer = await startAnalyzerProcess(this.#place.store);
    try {
      const truth = this.sending.truth;
      const hourS = 3600;
      const window = { fromS: Math.floor(startMs / 1000) - hourS, toS: Date.now() / 1000 + hourS };
      const seen = () => reportedCalls(analyzer.url, window);
      const until = Date.now() + drainMsMost;
      while (total(await seen()) < total(truth) && Date.now() < until) await pause(200);
      await this.#endCollector();
      const calls = await seen();
      const { clients } = await askJson<{ clients: { calls: number }[] }>(
        `${analyzer.url}/api/v1/clients?window=2h&limit=1000`,
      );
      const clientsKnown = clients.reduce((sum, client) => sum + client.calls, 0);
      // Every call of this load has a client.
      const ofClients = unequal(
        new Map([['clients', clientsKnown]]),
        new Map([['clients', total(truth)]]),
      );
      const ofCalls = unequal(calls, truth);
      return {
        expected: total(truth),
        counted: total(calls),
        routesExact: ofCalls.length === 0,
        clientsKnown,
        clientsExact: ofClients.length === 0,
        differences: [...ofCalls, ...ofClients],
      };
    } finally {
      await analyzer.stop();
    }
  }

  async close(): Promise<void> {
    this.#collector?.child.kill('SIGKILL');
    await this.#collector?.ended;
    await this.#rollcall?.stop();
  }
}
