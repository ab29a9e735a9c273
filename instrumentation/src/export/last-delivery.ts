import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Destination } from '../settings.ts';
import type { Transport } from './transport.ts';

/** The first line of a child's input: where bodies go, and how many bytes each has. They follow in that order. */
export interface LastDelivery {
  transport: PlainTransport | undefined;
  destination: Destination;
  bodyBytes: number[];
  deadlineMs: number;
}

/** A transport as JSON, with the options that its agent was made from. */
export type PlainTransport = Omit<Transport, 'agent' | 'request'> & { tls: Tls };
export interface Tls {
  ca?: string;
  cert?: string;
  key?: string;
}

/**
 * Delivers bodies while this process can no longer wait for anything: a child process posts them, one after the
 * other, and this one waits for it.
 * @param transport undefined when nothing was sent yet; the child then reads OTEL_EXPORTER_OTLP_* itself
 * @returns bodies that were delivered, counted from the first
 */
export function deliverByChild(
  bodies: readonly Buffer[],
  transport: Transport | undefined,
  destination: Destination,
  deadlineMs: number,
): number {
  const order: LastDelivery = {
    transport: transport === undefined ? undefined : plain(transport),
    destination,
    bodyBytes: bodies.map(({ length }) => length),
    deadlineMs,
  };
  const { stdout } = spawnSync(process.execPath, [join(__dirname, 'last-delivery-child.js')], {
    input: Buffer.concat([Buffer.from(`${JSON.stringify(order)}\n`), ...bodies]),
    env: childEnvironment(process.env),
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  // One byte for each body, also of a child that was killed in time.
  return Math.min(stdout?.length ?? 0, bodies.length);
}

function plain({ url, headers, isCompressed, timeoutMs, agent }: Transport): PlainTransport {
  const { options } = agent as unknown as { options: Record<string, unknown> };
  const { ca, cert, key } = options;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key })
      .filter(([, pem]) => pem !== undefined)
      .map(([name, pem]) => [name, String(pem)]),
  );
  return { url, headers, isCompressed, timeoutMs, tls };
}

/** Without what makes a child another instance of the app: preloaded modules, an inspector's port, cluster's channel. */
function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, NODE_CHANNEL_FD, NODE_UNIQUE_ID, NODE_V8_COVERAGE, ...rest } = env;
  return { ...rest, ELECTRON_RUN_AS_NODE: '1' };
}
