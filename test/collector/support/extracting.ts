import { Extractor } from '../../../collector/extract/extractor.ts';
import { type AnyValue, encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { type Config, readConfig } from '../../../core/config/config.ts';
import { calledOf } from './called.ts';

/** 2026-11-22T00:00:00Z, the time of the tests. */
export const nowMs = Date.UTC(2026, 10, 22);
export const nowNs = BigInt(nowMs) * 1_000_000n;

let spans = 0;

/** An id that no other span has. */
export function ownSpanId(): Buffer {
  spans += 1;
  const id = Buffer.alloc(8, 0x22);
  id.writeUInt32BE(spans, 4);
  return id;
}

/** A SERVER span of 20 ms that ended a second ago, without attributes. */
export function span(
  attributes: Record<string, AnyValue> = {},
  change: Partial<Omit<Span, 'attributes'>> = {},
): Span {
  return {
    traceId: Buffer.alloc(16, 0x11),
    spanId: ownSpanId(),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: nowNs - 1_020_000_000n,
    endTimeUnixNano: nowNs - 1_000_000_000n,
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
    ...change,
  };
}

export function message(spans: readonly Span[], resource: Record<string, AnyValue> = {}): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => ({ key, value }));
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans: [...spans] }] }]);
}

/**
 * An extractor of its own, its batch, and everything it extracted in plain words.
 * @param options `countsOnce: false` for spans that share their ids
 */
export function extracting(change: Partial<Config> = {}, options: { countsOnce?: boolean } = {}) {
  const dictionary = new CallDictionary();
  const extractor = new Extractor({
    dictionary,
    config: { ...readConfig({}), ...change },
    now: () => nowMs,
    ...options,
  });
  const batch = new CallBatch();
  return {
    dictionary,
    extractor,
    batch,
    extract: (body: Buffer, project = 'p') => extractor.extract(project, body, batch),
    called: () => calledOf(batch, dictionary.takeNew()),
  };
}

/** The one call of one span. */
export function callOf(
  attributes: Record<string, AnyValue>,
  change: Partial<Omit<Span, 'attributes'>> = {},
  config: Partial<Config> = {},
) {
  const { extract, called } = extracting(config);
  const extracted = extract(message([span(attributes, change)]));
  return { ...called()[0]!, extracted };
}
