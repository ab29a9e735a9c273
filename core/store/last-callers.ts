import { limits } from '../limits.ts';
import type { LastCaller } from './store.ts';

/**
 * The callers an endpoint had last, kept for ever with its record. Callers lie flat in one array, latest first:
 * `callerNumbers` numbers each. They are the engine's number of the client (0 when unknown), the engine's number
 * of the call's context (version, consumer, agent, error), and the end of the call in milliseconds.
 */
export const callerNumbers = 3;

/** Entries kept. Twice the callers of an answer: one caller has an entry for each version and error type. */
const callersKept = 2 * limits.lastCallers;

/** Notes a call. The order of calls does not matter, except between calls that end in the same millisecond. */
export function noteCaller(callers: number[], client: number, context: number, atMs: number): void {
  const { length } = callers;
  if (length === callersKept * callerNumbers && callers[length - 1]! >= atMs) return;
  let at = 0;
  while (at < callers.length && (callers[at] !== client || callers[at + 1] !== context)) {
    at += callerNumbers;
  }
  if (at < callers.length) {
    if (callers[at + 2]! >= atMs) return;
  } else if (at < callersKept * callerNumbers) {
    callers.push(client, context, atMs);
  } else {
    at -= callerNumbers;
    if (callers[at + 2]! >= atMs) return;
  }
  // Move the entry up past every caller that came earlier.
  for (; at > 0 && callers[at - 1]! < atMs; at -= callerNumbers) {
    callers[at] = callers[at - 3]!;
    callers[at + 1] = callers[at - 2]!;
    callers[at + 2] = callers[at - 1]!;
  }
  callers[at] = client;
  callers[at + 1] = context;
  callers[at + 2] = atMs;
}

/** Notes the callers of another array. */
export function noteCallers(callers: number[], more: readonly number[]): void {
  for (let i = 0; i < more.length; i += callerNumbers) {
    noteCaller(callers, more[i]!, more[i + 1]!, more[i + 2]!);
  }
}

/**
 * The distinct callers, latest first, at most `limits.lastCallers`. A caller is client, consumer and agent.
 * @param read the caller behind the engine's numbers of client and context
 */
export function lastCallersOf(
  callers: readonly number[],
  read: (client: number, context: number) => Omit<LastCaller, 'atMs'>,
): LastCaller[] {
  const distinct: LastCaller[] = [];
  for (let i = 0; i < callers.length; i += callerNumbers) {
    const { client, consumer, agent } = read(callers[i]!, callers[i + 1]!);
    if (includes(distinct, client, consumer, agent)) continue;
    distinct.push({ client, consumer, agent, atMs: callers[i + 2]! });
    if (distinct.length === limits.lastCallers) break;
  }
  return distinct;
}

function includes(
  known: readonly LastCaller[],
  client: string,
  consumer: string,
  agent: string,
): boolean {
  for (const caller of known) {
    if (caller.client === client && caller.consumer === consumer && caller.agent === agent) {
      return true;
    }
  }
  return false;
}
