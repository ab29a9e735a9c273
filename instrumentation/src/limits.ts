/** Every bound of the package, with its reason. */
export const limits = {
  /** Encoded spans that wait while they cannot be delivered: 13 MB. OTEL_BSP_MAX_QUEUE_SIZE. */
  queuedSpans: 32_768,
  /** The same as objects of an SDK that is there already, of 1.5 KB each. */
  queuedSpanObjects: 8_192,
  /** Encoded spans of one export, 900 KiB: an export costs 400 µs whatever it holds, 0.2 µs a span here.
   *  OTEL_BSP_MAX_EXPORT_BATCH_SIZE. */
  batchSpans: 2_048,
  /** The same of spans that are objects: 550 KiB of JSON, which takes 4 ms to write. */
  batchSpanObjects: 512,
  /** Spans that are encoded at once, which takes 0.3 ms. Until then their values are kept as objects. */
  unwrittenSpans: 128,
  /** A span waits no longer for others of its batch. OTEL_BSP_SCHEDULE_DELAY. */
  sendDelayMs: 1_000,
  /** A delivery without an answer for so long has failed; OpenTelemetry's 10 s would hold up a process that ends.
   *  OTEL_EXPORTER_OTLP_TIMEOUT. */
  exportTimeoutMs: 5_000,
  /** The first pause before a failed batch is sent again, and the longest: each is twice the one before. */
  retryDelayMs: 1_000,
  retryDelayMsMax: 15_000,
  /** A Retry-After that asks for more is a mistake, or a maintenance: five minutes of a busy service fill the queue. */
  retryAfterMsMax: 5 * 60_000,
  /** For so long a batch is sent again. Rollcall recognises the same bytes for an hour. */
  retryAgeMs: 45 * 60_000,
  /** Tries of a batch that is answered 500, some 75 s: it may be the batch that fails, and others wait behind it. */
  brokenTries: 8,
  /** `flushRollcall` and an SDK's shutdown wait no longer. */
  flushMs: 3_000,
  /** The end of a process is held up no longer by spans that are queued: less than the 1.6 s that PM2 grants. */
  endingMs: 1_500,
  /** At least so much time between the log lines of two outages. */
  outageLogMs: 60_000,
  /** Longer texts are cut: paths; headers and consumer names. */
  pathCharacters: 2_048,
  headerCharacters: 512,
  /** Declared routes: as many as Rollcall keeps endpoints of a service. Characters of one route. */
  declaredRoutes: 20_000,
  routeCharacters: 512,
  /** Routes of one inventory span: some 50 KB. A longer list comes in several. */
  inventoryRoutes: 1_000,
  /** Delay between a declaration and its inventory; doubled after each, up to the second. */
  inventoryDelayMs: 500,
  inventoryDelayMsMax: 5 * 60_000,
  /** An inventory is sent again after so long: Rollcall forgets routes a day after their process's last sign. */
  inventoryAgainMs: 3_600_000,
} as const;
