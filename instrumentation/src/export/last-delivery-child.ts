import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import type { LastDelivery, PlainTransport } from './last-delivery.ts';
import { deliver, type Transport, transportTo } from './transport.ts';

/** The child process of `deliverByChild`: writes one byte for each body that was delivered. */
async function main(): Promise<void> {
  // A terminal and some supervisors send their signal to every process of a group.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  // A delivery does not hold a process.
  const hold = setInterval(() => {}, 2 ** 30);
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  const input = Buffer.concat(parts);
  const end = input.indexOf('\n');
  const order = JSON.parse(input.toString('utf8', 0, end)) as LastDelivery;
  const { transport: known, destination, deadlineMs } = order;
  const transport = known === undefined ? await transportTo(destination) : transportOf(known);
  let at = end + 1;
  for (const bytes of order.bodyBytes) {
    const body = input.subarray(at, at + bytes);
    at += bytes;
    await deliver({ ...transport, timeoutMs: Math.min(transport.timeoutMs, deadlineMs) }, body);
    process.stdout.write('.');
  }
  clearInterval(hold);
  transport.agent.destroy();
}

function transportOf({ tls, ...rest }: PlainTransport): Transport {
  if (new URL(rest.url).protocol === 'http:') {
    return { ...rest, request: plainRequest, agent: new PlainAgent({ keepAlive: true }) };
  }
  const https = require('node:https') as typeof import('node:https');
  return { ...rest, request: https.request, agent: new https.Agent({ keepAlive: true, ...tls }) };
}

main().catch(() => process.exit(1));
