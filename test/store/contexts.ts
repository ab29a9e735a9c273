import { CallBatch, type CallContext, type CallDictionary } from '../../core/call.ts';
import { Random } from '../../core/random.ts';
import { copies, type PlainCall, weightOf } from './made-calls.ts';

/** A made-up call with its context: the service's version, the consumer, its agent. */
export interface ContextCall extends PlainCall {
  context: CallContext;
}

/** Gives each call a context: a few versions, consumers and agents, of which some are bots. */
export function inContexts(seed: number, calls: readonly PlainCall[]): ContextCall[] {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return calls.map((call) => {
    const agent = pick(['curl', 'okhttp', 'Googlebot', '']);
    const context: CallContext = {
      serviceVersion: pick(['1.0.0', '1.1.0', '1.1.0', '2.0.0-rc.1', '']),
      consumer: pick(['', '', 'shop-app', 'partner', 'curl', 'billing']),
      agent,
      bot: agent === 'Googlebot',
      errorType: call.status >= 500 ? 'TimeoutError' : '',
    };
    return { ...call, context };
  });
}

/** One delivery of some calls. @param serial a number that no other delivery has */
export function contextBatch(
  calls: readonly ContextCall[],
  dictionary: CallDictionary,
  serial: number,
): CallBatch {
  const batch = new CallBatch();
  for (const call of calls) {
    const i = batch.push();
    const { columns } = batch;
    const { service, method, route, context } = call;
    const names = { project: 'default', service, environment: '', method, route };
    columns.endpoint[i] = dictionary.endpoint({ ...names, templated: false });
    columns.origin[i] = dictionary.origin(context);
    columns.client[i] = dictionary.client(call.client);
    columns.status[i] = call.status;
    columns.durationNs[i] = call.durationNs;
    columns.endS[i] = call.endS;
    columns.endNs[i] = call.endNs;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
    const weight = weightOf(call);
    if (weight !== 1) batch.weights.add(i, weight, copies(call));
  }
  const digest = new Uint8Array(16);
  new DataView(digest.buffer).setUint32(0, serial);
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
  return batch;
}
