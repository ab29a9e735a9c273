import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../../core/config/config.ts';
import { AppError } from '../../core/error.ts';
import { readFlags, UsageError } from '../flags.ts';
import { startServices } from '../services.ts';
import { sendTraces } from './exporter.ts';
import { type Addresses, addressesOf, freshStore, withFreePorts } from './place.ts';
import { historyDays } from './shop.ts';
import { historyHours, traffic } from './traffic.ts';

/** Requests in flight: enough to keep one collector busy, too few to overload it. */
const parallelBodies = 4;
/** Hours of history in one body: about a thousand spans. */
const hoursPerBody = 6;
/** The live traffic is this many times the history's, about two calls a second, so that figures visibly change. */
const liveTimes = 30;

/**
 * Starts Rollcall on a store of its own, sends it three months of a made-up shop's traffic, then live traffic.
 * @returns the exit code
 */
export async function demo(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    seed: { type: 'string' },
    once: { type: 'boolean' },
  });
  const seed = own.seed === undefined ? 1 : Number(own.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError(`--seed ${own.seed} must be a whole number from 0 on`);
  }
  const store = await freshStore(flags.ROLLCALL_STORE ?? env.ROLLCALL_STORE);
  const ended = new AbortController();
  try {
    const demoEnv = await withFreePorts({
      ...env,
      // The services' log lines would hide the demo's own output.
      ROLLCALL_LOG: env.ROLLCALL_LOG || 'warn',
      ...flags,
      ROLLCALL_STORE: store.text,
      // No TLS: the demo's sender would have to trust a certificate that is valid for another name.
      ROLLCALL_TLS_CERT: '',
      ROLLCALL_TLS_KEY: '',
      ROLLCALL_TLS_CLIENT_CA: '',
    });
    if (readConfig(demoEnv).auth === 'keys') {
      const message =
        'the demo has no keys: listen on 127.0.0.1, or set ROLLCALL_AUTH=off to let every client use it';
      throw new AppError('invalid', message);
    }
    const services = await startServices(['collector', 'analyzer'], demoEnv);
    const stop = () => {
      ended.abort();
      services.stop();
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
    services.ended.then(() => ended.abort());
    try {
      await play(addressesOf(demoEnv), seed, own.once === true, store.text, ended.signal);
    } catch (error) {
      // An abort by a signal, or after a service ended and logged why, is no error of the demo.
      if (!ended.signal.aborted) throw error;
    } finally {
      stop();
      await services.ended;
    }
    return await services.ended;
  } finally {
    await store.remove();
  }
}

/** Sends the history, prints the addresses, then sends live traffic until `signal` aborts. */
async function play(
  addresses: Addresses,
  seed: number,
  once: boolean,
  store: string,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  await ready(addresses.collector, signal);
  await ready(addresses.analyzer, signal);
  const traces = `${addresses.collector}/v1/traces`;
  say(`Sending ${historyDays} days of a made-up shop's traffic (seed ${seed}) to ${traces} …`);
  const nowMs = Date.now();
  const startedMs = performance.now();
  const sent = await sendHistory(traces, seed, nowMs, signal);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const counted = await totalRequests(addresses.analyzer, signal);
  say(`${sent} calls sent in ${seconds} s, ${counted} counted in the report.`);
  if (sent !== counted) {
    throw new AppError('internal', `the report counts ${counted} calls, but ${sent} were sent`);
  }
  say(introduction(addresses, store));
  if (once) return;
  say('The shop is open: its live traffic keeps coming until Ctrl-C.');
  await sendLive(traces, seed, nowMs, signal);
}

async function sendHistory(
  url: string,
  seed: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const hours = historyHours(nowMs);
  let sent = 0;
  const sendOn = async () => {
    while (hours.length > 0) {
      const body = hours.splice(0, hoursPerBody).flatMap((hour) => traffic(seed, hour, nowMs));
      await sendTraces(url, body, signal);
      for (const { scopes } of body) for (const { spans } of scopes) sent += spans.length;
    }
  };
  await Promise.all(Array.from({ length: parallelBodies }, sendOn));
  return sent;
}

async function sendLive(
  url: string,
  seed: number,
  startMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let fromMs = startMs; ; ) {
    await pause(1000, undefined, { signal });
    const toMs = Date.now();
    const body = traffic(seed, { fromMs, toMs }, toMs, liveTimes);
    if (body.length > 0) await sendTraces(url, body, signal);
    fromMs = toMs;
  }
}

async function totalRequests(analyzer: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${analyzer}/api/v1/report?window=${historyDays + 2}d`, { signal });
  const text = await response.text();
  if (!response.ok)
    throw new AppError('internal', `the report answers ${response.status}: ${text}`);
  const { summary } = JSON.parse(text) as { summary: { total_requests: number } };
  return summary.total_requests;
}

function introduction({ collector, analyzer }: Addresses, store: string): string {
  return `
  dashboard        ${analyzer}
  REST API         ${analyzer}/api/v1/report
  OTLP over HTTP   ${collector}
  store            ${store}

Try, in another terminal:

  curl '${analyzer}/api/v1/report/top?window=7d&limit=3'
  curl '${analyzer}/api/v1/report/dead'
  curl '${analyzer}/api/v1/report?service=payments&sort=error_rate_pct&order=desc'
`;
}

/** Waits until the service answers /readyz with 200. */
async function ready(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await pause(50, undefined, { signal });
  }
}
