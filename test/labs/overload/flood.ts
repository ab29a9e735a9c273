import { Agent } from 'node:http';
import { NumberedBodies } from '../load/numbered-bodies.ts';
import { type Answer, postTraces } from '../load/post.ts';

/**
 * The process that sends far more than the server can take: many connections, three in four with gzip,
 * each of which sends again at once whatever the answer was. In the end every connection gets its last
 * body acknowledged, politely, so that the fate of no body stays unknown. One message tells it what to
 * do, one is its answer.
 */
export interface Flood {
  url: string;
  seed: number;
  startMs: number;
  spansPerBody: number;
  templates: number;
  /** Number of the first body, so that floods do not repeat each other. */
  firstBody: number;
  connections: number;
  seconds: number;
}

export interface Flooded {
  /** Numbers of the bodies that were acknowledged, each once. */
  acknowledged: number[];
  /** Of the time of flooding alone. */
  seconds: number;
  attempts: number;
  acknowledgedInTime: number;
  /** Attempts that were answered 429 or 503. */
  refused: number;
  /** Attempts whose connection ended without an answer. */
  unanswered: number;
  /** Answers that should not be: another status, or a refusal without Retry-After of 1 to 5 s. */
  wrong: string[];
}

process.once('message', (flood: Flood) => {
  run(flood).then((flooded) => process.send!(flooded, () => process.disconnect()));
});

async function run(flood: Flood): Promise<Flooded> {
  const { url, seed, startMs, spansPerBody, templates, connections, seconds } = flood;
  const bodies = new NumberedBodies(seed, startMs, spansPerBody, templates);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const flooded: Flooded = {
    acknowledged: [],
    seconds: 0,
    attempts: 0,
    acknowledgedInTime: 0,
    refused: 0,
    unanswered: 0,
    wrong: [],
  };
  const fromMs = performance.now();
  const untilMs = fromMs + seconds * 1000;
  let next = flood.firstBody;
  const connection = async (_: unknown, index: number): Promise<void> => {
    const gzip = index % 4 > 0;
    const headers: Record<string, string> = gzip ? { 'content-encoding': 'gzip' } : {};
    while (performance.now() < untilMs) {
      const number = next++;
      const bytes = gzip ? bodies.gzip(number) : bodies.bytes(number);
      for (let acknowledged = false; !acknowledged; ) {
        const flooding = performance.now() < untilMs;
        const answer = await postTraces(url, agent, bytes, headers).catch(() => undefined);
        acknowledged = answer?.status === 200;
        note(flooded, answer, flooding);
        if (!acknowledged && !flooding) await politely(answer);
      }
      flooded.acknowledged.push(number);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  flooded.seconds = seconds;
  agent.destroy();
  return flooded;
}

function note(flooded: Flooded, answer: Answer | undefined, flooding: boolean): void {
  if (flooding) flooded.attempts += 1;
  if (answer === undefined) flooded.unanswered += 1;
  else if (answer.status === 200) {
    if (flooding) flooded.acknowledgedInTime += 1;
  } else {
    flooded.refused += 1;
    const { status, retryAfterS } = answer;
    const right = (status === 429 || status === 503) && retryAfterS !== null;
    if (!right || !(retryAfterS >= 1 && retryAfterS <= 5)) {
      if (flooded.wrong.length < 20) flooded.wrong.push(`${status}, Retry-After ${retryAfterS}`);
    }
  }
}

function politely(answer: Answer | undefined): Promise<void> {
  const seconds = answer?.retryAfterS ?? 1;
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
