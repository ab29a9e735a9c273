import { startAnalyzerProcess, startCollectorProcess } from '../../support/process.ts';
import { memory } from '../bench/process-cost.ts';
import { answerOfChild } from '../load/child-process.ts';
import { addCounts, compareCounts, NumberedBodies } from '../load/numbered-bodies.ts';
import { reportedCalls } from '../load/report.ts';
import type { Flood, Flooded } from './flood.ts';

/**
 * Far more load than the collector can take, on loopback: its memory stays flat, it refuses in time and
 * says when to come again, and everything it acknowledged is in the report once.
 */
export interface OverloadOptions {
  seconds: number;
  seed: number;
  storePath: string;
}

export interface OverloadResult {
  /** Spans a second that four connections get acknowledged, and what the flood offered. */
  capacity: number;
  offered: number;
  acknowledgedInFlood: number;
  acknowledgedBodies: number;
  refused: number;
  unanswered: number;
  wrong: string[];
  /** Median RSS of the collector in each third of the flood, and its most, in MiB. */
  rssMiB: [number, number, number];
  rssMostMiB: number;
  /** Calls. */
  lost: number;
  doubled: number;
}

const spansPerBody = 8000;
const templates = 8;
const politeConnections = 4;
/** With bodies of 4 MB, six times what the budget of bytes in flight admits. */
const floodConnections = 100;
const capacityS = 3;
const sampleEveryMs = 200;

export async function runOverload({
  seconds,
  seed,
  storePath,
}: OverloadOptions): Promise<OverloadResult> {
  const startMs = Date.now();
  const collector = await startCollectorProcess(storePath);
  try {
    const flood = { url: collector.url, seed, startMs, spansPerBody, templates };
    const polite = await runFlood({
      ...flood,
      firstBody: 0,
      connections: politeConnections,
      seconds: capacityS,
    });
    const samples: number[] = [];
    const sampler = setInterval(() => samples.push(memory(collector.pid).rssMiB), sampleEveryMs);
    const firstBody = polite.acknowledged.length;
    const flooded = await runFlood({ ...flood, firstBody, connections: floodConnections, seconds });
    clearInterval(sampler);
    // What is sampled while the last bodies are fetched politely is no flood any more.
    const rss = samples.slice(0, Math.floor((seconds * 1000) / sampleEveryMs));
    const analyzer = await startAnalyzerProcess(storePath);
    const window = {
      fromS: Math.floor(startMs / 1000) - 3600,
      toS: Math.ceil(Date.now() / 1000) + 3600,
    };
    const seen = await reportedCalls(analyzer.url, window).finally(() => analyzer.stop());
    return {
      capacity: perSecond(polite.acknowledgedInTime, capacityS),
      offered: perSecond(flooded.attempts, seconds),
      acknowledgedInFlood: perSecond(flooded.acknowledgedInTime, seconds),
      acknowledgedBodies: flooded.acknowledged.length,
      refused: flooded.refused,
      unanswered: flooded.unanswered,
      wrong: flooded.wrong,
      rssMiB: thirds(rss),
      rssMostMiB: Math.max(...rss),
      ...compareCounts(
        seen,
        truthOf([polite, flooded], new NumberedBodies(seed, startMs, spansPerBody, templates)),
      ),
    };
  } finally {
    await collector.stop();
  }
}

function truthOf(floods: readonly Flooded[], bodies: NumberedBodies): Map<string, number> {
  const truth = new Map<string, number>();
  for (const { acknowledged } of floods) {
    for (const number of acknowledged) addCounts(truth, bodies.calls(number));
  }
  return truth;
}

function perSecond(bodies: number, seconds: number): number {
  return Math.round((bodies * spansPerBody) / seconds);
}

function thirds(samples: readonly number[]): [number, number, number] {
  const third = Math.floor(samples.length / 3);
  const median = (n: number): number =>
    samples.slice(n * third, (n + 1) * third).sort((a, b) => a - b)[third >> 1]!;
  return [median(0), median(1), median(2)];
}

function runFlood(flood: Flood): Promise<Flooded> {
  return answerOfChild<Flood, Flooded>(new URL('flood.ts', import.meta.url), flood);
}
