import { setTimeout as pause } from 'node:timers/promises';
import { encodeTraces, type ResourceSpans } from '../../collector/otlp/traces-encoder.ts';
import { AppError } from '../../core/error.ts';

/** Attempts while the collector gives no answer at all. A busy or starting collector does answer. */
const patientAttempts = 8;

/**
 * Sends spans as a conforming SDK does: OTLP protobuf over HTTP. After 429 or 503 the same bytes are sent again
 * when Retry-After has passed.
 * @param url for traces: `http://127.0.0.1:4318/v1/traces`
 * @param signal aborts the wait; the promise then rejects with its reason
 * @param attemptsMost attempts without any answer
 * @throws AppError `unavailable` without an answer, `internal` when the collector rejected some spans
 */
export async function sendTraces(
  url: string,
  resources: readonly ResourceSpans[],
  signal: AbortSignal,
  attemptsMost = patientAttempts,
): Promise<void> {
  const body = encodeTraces(resources);
  for (let attempt = 1; ; ) {
    const response = await post(url, body, signal);
    if (response?.status === 200) {
      const said = Buffer.from(await response.arrayBuffer());
      // An empty message is full success; a partial success has the number of rejected spans and the reason.
      if (said.length === 0) return;
      throw new AppError('internal', `${url} did not take all spans: ${said.toString('latin1')}`);
    }
    const said = (await response?.text()) ?? 'no answer';
    if (response?.status === 429 || response?.status === 503) {
      await pause(retryAfterMs(response), undefined, { signal });
      continue;
    }
    if (response !== undefined) {
      throw new AppError('internal', `${url} answered ${response.status}: ${said.slice(0, 200)}`);
    }
    if (attempt === attemptsMost) throw new AppError('unavailable', `${url} gives no answer`);
    await pause(100 * 2 ** attempt, undefined, { signal });
    attempt += 1;
  }
}

/** @returns undefined when there was no answer */
async function post(url: string, body: Buffer, signal: AbortSignal): Promise<Response | undefined> {
  try {
    const headers = { 'content-type': 'application/x-protobuf' };
    return await fetch(url, { method: 'POST', headers, body, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? '1');
  return seconds >= 0 && seconds <= 60 ? seconds * 1000 : 1000;
}
