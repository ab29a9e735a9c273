import type { CallBatch, CallContext, EndpointName, NewDimensions } from '../../../core/call.ts';

/** One call of a batch in plain words, as a test writes it down. */
export interface Called extends EndpointName, CallContext {
  client: string;
  status: number;
  durationNs: number;
  endNs: bigint;
  requestBytes: number;
  responseBytes: number;
  traceId: string;
  /** 1 unless there. */
  weight?: number;
}

/** @param words all of the dictionary's, from its beginning */
export function calledOf(batch: CallBatch, words: NewDimensions): Called[] {
  const { columns, weights } = batch;
  const weightOf = (i: number) => weights.weight[weights.call.indexOf(i)];
  return Array.from({ length: batch.length }, (_, i) => ({
    ...words.endpoints[columns.endpoint[i]! - 1]!,
    ...words.origins[columns.origin[i]! - 1]!,
    client: columns.client[i] === 0 ? '' : words.clients[columns.client[i]! - 1]!,
    status: columns.status[i]!,
    durationNs: columns.durationNs[i]!,
    endNs: BigInt(columns.endS[i]!) * 1_000_000_000n + BigInt(columns.endNs[i]!),
    requestBytes: columns.requestBytes[i]!,
    responseBytes: columns.responseBytes[i]!,
    traceId: Buffer.from(columns.traceId.subarray(i * 16, i * 16 + 16)).toString('hex'),
    ...(weights.call.subarray(0, weights.length).includes(i) && { weight: weightOf(i)! }),
  }));
}
