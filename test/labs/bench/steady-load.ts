import { Agent, request } from 'node:http';

export interface SteadyLoad {
  url: string;
  seconds: number;
  ratePerSecond: number;
  connections: number;
}

export interface LoadResult {
  /** From the moment each request was due: a server that stalls does not hide it. */
  latenciesMs: number[];
  /** Requests without an answer, or with one of 500 and more. */
  failures: number;
}

/** Requests come when they are due, whatever the answers take; every eighth creates something. */
export async function openLoad(load: SteadyLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const total = Math.round(load.seconds * load.ratePerSecond);
  const latenciesMs: number[] = [];
  let failures = 0;
  let sent = 0;
  let answered = 0;
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const done = (dueMs: number, isFailed: boolean): void => {
      latenciesMs.push(performance.now() - dueMs);
      if (isFailed) failures += 1;
      answered += 1;
      if (answered === total) resolve();
    };
    const tick = (): void => {
      const due = Math.min(total, ((performance.now() - startMs) / 1000) * load.ratePerSecond);
      for (; sent < due; sent += 1) {
        const dueMs = startMs + (sent / load.ratePerSecond) * 1000;
        sendOne(load.url, agent, sent, (isFailed) => done(dueMs, isFailed));
      }
      if (sent < total) setTimeout(tick, 1);
    };
    tick();
  });
  agent.destroy();
  return { latenciesMs, failures };
}

function sendOne(
  url: string,
  agent: Agent,
  number: number,
  done: (isFailed: boolean) => void,
): void {
  const isPost = number % 8 === 7;
  const target = isPost ? `${url}/api/orders` : `${url}/api/users/${number % 1000}`;
  const headers = { 'user-agent': 'steady-load/1.0' };
  const sending = request(target, { agent, method: isPost ? 'POST' : 'GET', headers });
  sending.on('response', (answer) => {
    answer.resume();
    answer.on('end', () => done(answer.statusCode! >= 500));
  });
  sending.on('error', () => done(true));
  sending.end();
}
