/**
 * Every bound of Rollcall, with its reason. Past a bound the rest goes into one visible, counted bucket
 * or is refused with a clear error; memory stays flat.
 */
export const limits = {
  /** One OTLP body after decompression (ROLLCALL_MAX_BODY_MIB). OTLP 1.11 recommends 64 MiB. */
  bodyBytes: 64 * 1024 * 1024,
  /** Bodies being read, decompressed or decoded, all requests together; what waits for its commit is
   *  bounded by waitingCalls. One body of the largest size is always admitted when nothing else is in
   *  flight, so the budget never refuses for ever. */
  inFlightBytes: 64 * 1024 * 1024,
  /** Calls decoded and not yet committed. Four full batches: enough to keep the writer busy while the
   *  event loop decodes, small enough (about 80 bytes a call) to be nothing. */
  waitingCalls: 262_144,
  /** Calls handed to the writer in one transaction. Bounds how long one commit can take (~0.2 s). */
  batchCalls: 65_536,
  /** A protobuf message above this is taken in slices of half the size, between which others have their
   *  turn: 64 MiB at once hold up everybody for 200 ms on the event loop, and as long in one commit. */
  largeMessageBytes: 2 * 1024 * 1024,
  /** JSON above this is read on a thread of its own: 64 MiB take about a second. */
  largeJsonBytes: 512 * 1024,
  /** Brackets within brackets of a JSON body: a hundred AnyValues of three each, and what is around. */
  jsonDepth: 320,
  /** Nesting of protobuf groups: far beyond any SDK (OTLP asks for at least 32). */
  nestingDepth: 100,

  /** One uploaded inventory. GitHub's OpenAPI document, the largest public one we know, has 12 MB. */
  inventoryBytes: 32 * 1024 * 1024,
  /** Routes that an inventory declares: as many as a service may have endpoints. */
  inventoryRoutes: 20_000,
  /** Versions of a service's inventory that are listed; older ones are deleted. */
  inventoryVersions: 50,
  /** Inventories of a project: one a service and environment. */
  inventoriesPerProject: 1_000,
  /** References from one path item to the next; real documents use one. */
  inventoryReferences: 16,
  /** Paths of declared servers that a call may come with. Each one costs a look-up a route. */
  inventoryPrefixes: 16,
  /** Sentences about what an upload left out. */
  inventoryNotes: 50,

  /** Bytes of one string we keep; what is longer is cut, at a character. */
  serviceNameBytes: 255,
  environmentBytes: 100,
  versionBytes: 100,
  instanceBytes: 100,
  routeBytes: 512,
  pathBytes: 2048,
  /** Segments of a route or a path that are compared: comparing costs their product, and a hostile span
   *  may hold thousands. The deepest real routes have about 20. */
  routeSegments: 128,
  /** Route texts whose reading is remembered (at most 20 KB each), then all are forgotten. */
  rememberedRoutes: 512,
  userAgentBytes: 512,
  consumerBytes: 200,
  errorTypeBytes: 200,
  clientBytes: 64,

  /** Distinct strings the collector remembers before it forgets all and begins again (memory, not meaning). */
  internedStrings: 500_000,
  /** Endpoints of one service; the rest is the endpoint `{other}` of its method. */
  endpointsPerService: 20_000,
  /** Of those, endpoints whose route we made up from the path: a scanner must not fill the table. */
  templatedRoutesPerService: 2_000,
  /** Of those, ones that nothing but refused calls speak for: a scanner that gets 401 for whatever it tries
   *  takes a tenth of the room, and none from endpoints that answer. */
  refusedRoutesPerService: 200,
  /** Different remainders below one mounted prefix before they become `{path}` (OTLP.md X14). */
  mountRemainders: 50,
  servicesPerProject: 1_000,
  /** Characters of an endpoint's id. Engines make the ids; longer text is no id of any engine. */
  endpointIdChars: 64,
  /** Distinct clients of an endpoint counted exactly in one stored period; beyond it the count is an
   *  estimate (HyperLogLog, 1.6 %) and the rarest clients share the bucket `{other}`. */
  clientsPerEndpoint: 4_096,
  /** Callers remembered for ever with each endpoint, latest first. */
  lastCallers: 5,

  /** Spans of one request that are looked at together (OTLP.md X2, X16): about 40 MB of columns, for as long
   *  as the request is read. What is beyond is counted each by itself. */
  joinedSpans: 400_000,
  /** Spans remembered so that those of one call that come in two requests are counted once: 20 MB, taken
   *  only when a service sends such spans. A power of two; the oldest goes. At 1,000 calls of two spans a
   *  second that is a minute, an exporter's delay is 5 s. */
  joinedSpansRemembered: 131_072,
  /** Services whose spans are remembered; then all are found anew. */
  joinedServices: 10_000,
  /** Other spans asked for the route or status of one call: nesting is two or three deep. */
  joinedEvidence: 16,

  /** A repeated body is recognised for this long (OTLP.md X13; the Collector retries for 5 minutes). */
  deliveryMemoryS: 3600,
  /** Of so many deliveries at the most (24 bytes each in memory): an hour of 1,100 a second. */
  rememberedDeliveries: 4_000_000,
  /** Spans ending later than this from now are refused: their clock is wrong. */
  futureS: 600,
  /** Instances with a clock ahead of ours that /metrics names; the rest is `{other}`. */
  clocksAhead: 100,
  /** Calls one span may stand for: 2^20, one call in a million. Real samplers keep one in 10,000 at the
   *  rarest; a span that says more is mistaken, and would drown every count it is added to. */
  callWeight: 2 ** 20,
  /** Calls committed and not yet rolled up, at the most: bounds the tail that a report reads raw. */
  unrolledCalls: 50_000,

  /** One span's attributes, one request's spans: not bounded by number, the body's bytes bound both. */
  errorMessageBytes: 1024,
  /** Request line and headers; Node's default of 16 KiB is what OTLP.md L1 asks for at least. */
  headerBytes: 32 * 1024,
  /** An idle connection is kept longer than any exporter's own idle time (Go 90 s): whoever closes first
   *  while the other sends loses a request (OTLP.md H11). */
  keepAliveMs: 95_000,
  /** Headers, and a whole request, must have arrived by then. Exporters give up after 10 s, the Collector
   *  after 60 s. Node counts the first request from the connection's start, so headers get more than
   *  keepAliveMs. */
  headersMs: 100_000,
  requestMs: 120_000,
  /** How often Node looks for requests that are late. */
  timeoutCheckMs: 5_000,
  /** A connection on which nothing moves while a request is under way. */
  silentSocketMs: 60_000,
  /** Of a refused body so much is read and thrown away, for so long, that its sender sees the answer. */
  discardBytes: 4 * 1024 * 1024,
  discardMs: 2_000,
  /** gRPC: calls at once on one connection. OTLP.md G10 asks for 100; an exporter has a few, a Collector's
   *  queue some dozens. */
  grpcStreams: 256,
  /** gRPC: bytes a sender may have under way before we have read them, in one call and on its connection.
   *  With 64 KiB, HTTP/2's default, a sender 100 ms away gets 640 KiB a second. A call that is read slowly
   *  (while it is decompressed) holds so much beyond the budget, no more. */
  grpcStreamWindowBytes: 1024 * 1024,
  grpcConnectionWindowBytes: 16 * 1024 * 1024,
  /** gRPC: what one connection may hold in nghttp2 and in streams before it is refused new calls. */
  grpcConnectionMemoryMib: 128,
  /** gRPC: a connection has said by then which protocol it speaks. */
  prefaceMs: 10_000,
  /** An idle gRPC connection may live for days: the kernel asks its peer now and then whether it does. */
  probeIdleMs: 60_000,
  /** A health check's message is a service's name. */
  healthMessageBytes: 4096,
  /** How often watchers of health are looked after. */
  healthWatchMs: 2_000,
  /** At the end, requests that had begun get so long. Container platforms kill after 10 s, so the process
   *  gives up before that, loudly, when even its store does not close. */
  shutdownMs: 4_000,
  exitMs: 8_500,
  /** /readyz answers by then, whatever the store does. */
  readyMs: 2_000,

  /** Projects of a store, keys in use of a project and of the store: every process holds all keys in memory
   *  (about 300 bytes a key) and reads them again (10 ms for all) when one changes. */
  projects: 1_000,
  keysPerProject: 100,
  keys: 10_000,
  /** Revoked keys of a project that are still listed, latest first. */
  revokedKeys: 100,
  /** People signed in to the dashboard of one process at once (about 500 bytes each). A session ends when it
   *  was unused for half a day, a working day and its evening, or a week after it began. */
  sessions: 1_000,
  sessionIdleS: 12 * 3600,
  sessionS: 7 * 86_400,
  /** How old what a process knows of revoked keys may be: a revoked key is refused within a second. */
  keyCheckMs: 250,
  /** A key's last use is written at most this often. */
  keyUseS: 60,
  /** Characters of a header that may hold a key; ours have 47, ROLLCALL_ADMIN_KEY at most 256. */
  keyHeaderLength: 1_024,
  /** Wrong keys of one address (IPv6: one /64) within a window; more than a fleet's restart with an old key
   *  should need, far fewer than guessing or filling logs would. */
  failedKeys: 100,
  failedKeysS: 60,
  /** Addresses whose wrong keys are counted; past it the oldest is forgotten. About 150 bytes each. */
  failedKeyAddresses: 10_000,
  /** Body of a request that makes a project or key. */
  commandBytes: 16 * 1024,

  /** An Origin header, and an item of ROLLCALL_CORS_ORIGINS: a host name has at most 253 characters. */
  originCharacters: 300,
  /** How often certificate files are looked at; a change counts when it stood still for one look. */
  certificateCheckMs: 1_000,
  /** A certificate, key or bundle of authorities. A bundle of every public authority has 220 KB. */
  pemBytes: 1024 * 1024,

  /** Items of one configuration list: each is compared with every call. */
  settingItems: 100,
  /** What ROLLCALL_MAX_BODY_MIB may ask for: a body stands in memory as a whole. */
  bodyMibMost: 1024,

  /** Longest window a report may ask for: the retention of days plus slack. */
  windowDays: 3660,
  /** Rows of one list answer. */
  listRows: 10_000,
  /** Points of one time series. */
  seriesPoints: 5_000,
} as const;

/** Routes that are no template of the service, but a visible bucket. */
export const specialRoutes = {
  unmatched: '(unmatched)',
  unknown: '(unknown)',
  other: '{other}',
} as const;
