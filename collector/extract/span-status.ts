import { type AttributeSlots, valueKind } from '../otlp/attributes.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';
import type { Convention } from './conventions.ts';
import type { SpanCounts } from './counts.ts';
import { httpStatusOfRpc } from './endpoint/rpc-span.ts';
import { mark, slot } from './span-attributes.ts';

/** The HTTP status of a span's attributes; 0 when there is none that HTTP knows. */
export function statusOf(attributes: AttributeSlots): number {
  for (let i = 0; i < statusSlots.length; i += 1) {
    const status = attributes.number(statusSlots[i]!);
    if (status >= 100 && status < 1000) return Math.floor(status);
  }
  return 0;
}

/** The status of a span without a status attribute (docs/extraction.md X19, X26); 0 when nothing tells it. */
export function assumedStatus(
  walk: TracesReader,
  convention: Convention,
  counts: SpanCounts,
): number {
  const { attributes } = walk;
  if ((attributes.marks & mark.rpcOverHttp) !== 0) {
    const status = httpStatusOfRpc(attributes);
    if (status !== 0) return status;
  }
  if (walk.statusCode === statusError || walk.exceptionType() !== null) {
    counts.statusAssumed += 1;
    return 500;
  }
  if (walk.statusCode === statusOk && (attributes.marks & mark.rpcOverHttp) !== 0) return 200;
  const isSilent = convention.isSilentOnSuccess === true;
  return isSilent && attributes.kind(slot.httpPath) !== valueKind.none ? 200 : 0;
}

/** Status.code of a span. */
const statusOk = 1;
const statusError = 2;

const statusSlots = [slot.status, slot.oldStatus];
