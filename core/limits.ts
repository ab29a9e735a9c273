/**
 * Every bound of Rollcall, with its reason. Beyond a bound, input is refused with an error that names it, or
 * counted in one visible bucket; memory stays flat. Names end in the unit.
 */
export const limits = {
  // One request.
  /** One OTLP body after decompression (ROLLCALL_MAX_BODY_MIB). OTLP 1.11 recommends 64 MiB. */
  bodyBytes: 64 * 1024 * 1024,
  /** Bytes of bodies that came and are being read, decompressed or decoded, all requests together; what waits
   *  for its commit is bounded by waitingCalls. Large bodies get three quarters of it, one connection a half,
   *  one address or project seven eighths: the rest is left to others. One large body is counted apart, so
   *  that a body of the largest size is never refused for ever. */
  inFlightBytes: 64 * 1024 * 1024,
  /** A body up to this is small: an export of 512 spans has 143 KB. */
  smallBodyBytes: 256 * 1024,
  /** While bodies in flight are at their bound, a body that comes more slowly than this gives way. Looked at
   *  every half second. The slowest links of servers carry a hundred times as much. A body of which much came
   *  must go on at a rate that would have brought it within `bodyS`. */
  bodyBytesPerS: 64 * 1024,
  bodyS: 20,
  bodyProgressMs: 500,
  /** The largest first buffer of a body with a declared length; it grows with the received bytes. */
  firstBufferBytes: 512 * 1024,
  /** What a decompressor holds beside its output, counted as bytes of the body. */
  decompressorBytes: 64 * 1024,
  /** A body in chunks of less than this on average costs more for each byte than decoding it. Looked at from
   *  `bodyChunks` on. */
  chunkBytesLeast: 16,
  bodyChunks: 4_096,
  /** Calls decoded and not yet committed. Four full batches keep the writer busy while the event loop decodes,
   *  and take about 20 MB (80 bytes a call). */
  waitingCalls: 262_144,
  /** Calls in one transaction: bounds the time of one commit to about 0.2 s. */
  batchCalls: 65_536,
  /** A protobuf message above this is decoded and committed in slices of half the size, with other requests in
   *  between: 64 MiB at once would block the event loop for 200 ms, and the commit as long. */
  largeMessageBytes: 2 * 1024 * 1024,
  /** ResourceSpans and ScopeSpans of a request, spans of a request. Some senders write
   *  one ResourceSpans and one ScopeSpans for each span; a request of 64 MiB from the Node SDK has 239,000 spans. Counted
   *  because an empty one has two bytes, compresses a thousandfold and costs as much as a full one. */
  envelopes: 600_000,
  requestSpans: 300_000,
  /** Fields around the spans of a large request, the spans' own counted once: each envelope has at most four. */
  requestFields: 3_000_000,
  /** Attributes of one resource, and fields of one span above `spanBytesCounted`: SDKs stop at 128 attributes. */
  resourceAttributes: 10_000,
  spanFields: 50_000,
  spanBytesCounted: 64 * 1024,
  /** Resource fields of one ResourceSpans: a resource comes in one piece, and merging more costs. */
  resourcePieces: 64,
  /** Strings read of one array attribute, its last ones: a header has a few values. */
  arrayTexts: 128,
  /** Hops read of a forwarding list, the nearest ones, and bytes of its text. A request passes about five proxies. */
  forwardingHops: 64,
  forwardingBytes: 8 * 1024,
  /** Members of JSON lists and objects of a request. 64 MiB of an exporter's JSON have 6 million. */
  jsonMembers: 8_000_000,
  /**
   * Ratio of decompressed to compressed bytes, beyond a first part. Gzip reaches 1,032; brotli makes 64 MiB of
   * 60 bytes.
   */
  expansion: 1_100,
  expansionFreeBytes: 8 * 1024 * 1024,
  /** JSON above this is parsed on a separate thread: 64 MiB take about a second. */
  largeJsonBytes: 512 * 1024,
  /** Nested brackets of a JSON body: 100 nested AnyValues have three each, and the envelope a few more. */
  jsonDepth: 320,
  /** Nested protobuf groups: no OTLP message holds one. Nested AnyValues are skipped by their length. */
  nestingDepth: 100,

  // Inventories.

  /** One uploaded inventory. GitHub's OpenAPI document, the largest public one we know, has 12 MB. */
  inventoryBytes: 32 * 1024 * 1024,
  /** Uploads up to this are read on the event loop: some milliseconds; a thread's start alone takes 40 ms. */
  inventoryInlineCharacters: 256 * 1024,
  /** Time of reading one larger upload. GitHub's document takes 1.5 s as YAML; memory: core/config/memory.ts. */
  inventoryReadMs: 30_000,
  /** Routes that an inventory declares: as many as a service may have endpoints. */
  inventoryRoutes: 20_000,
  /** How often a collector looks for changed inventories: one small query each time. */
  inventoryRefreshMs: 5_000,
  /** Versions of a service's inventory that are listed; older ones are deleted. So are the oldest of a project whose
   *  versions, compressed, have more bytes: 200 of the largest. The newest of each service stays. */
  inventoryVersions: 50,
  inventoryHistoryBytes: 64 * 1024 * 1024,
  /** Routes that the uploaded inventories of a project declare together, and those over OTLP: each is a row of its
   *  reports, called or not. As many as a project may have endpoints. */
  declaredRoutesPerProject: 30_000,
  /** Former routes that a project's inventories keep: as many as fit, divided by the number of its inventories. */
  formerRoutes: 20_000,
  /** Routes declared over OTLP that a collector reads of one project at once, and in each further second: 30 processes
   *  with 2,000 routes each may start together. Reading one takes 8 µs of the thread that commits. A process declares
   *  again every hour, so that a declaration beyond it is late, not lost. */
  declaredAtOnce: 60_000,
  declaredPerS: 1_000,
  /** Of those, of one request, or of one slice of a large one: as many as a service may declare, in 0.15 s. */
  declaredPerRequest: 20_000,
  /** Routes of different lists that are merged for one service: three of the longest lists, the newest first. */
  mergedRoutes: 60_000,
  /** Bytes of all declarations of a project over OTLP, compressed: 5 to 10 a route. */
  declarationBytes: 1024 * 1024,
  /** Services whose declarations are looked through at once for versions that have ended. */
  refreshedDeclarations: 20,
  /** Inventories of a project: one a service and environment. */
  inventoriesPerProject: 1_000,
  /** References from one path item to the next; real documents use one. */
  inventoryReferences: 16,
  /** Paths of declared servers that a call may come with. Each one costs a look-up a route. */
  inventoryPrefixes: 16,
  /** Parts of one declaration over OTLP, and routes of one part: the instrumentation package sends 1,000 a part. */
  declarationPartsPerSet: 100,
  /** Parts of a project that wait for others, and for how long: exporters retry for minutes. */
  declarationParts: 1_000,
  declarationPartsMs: 3_600_000,
  /** Processes of a service in one environment whose declarations are kept; the oldest is evicted. */
  declaringInstances: 256,
  /** A version of a service is alive for so long after its last sign: longer than a rolling deployment and a canary's
   *  quiet night. */
  liveDeclarationMs: 86_400_000,
  /** Declarations of one request. */
  declarationsPerRequest: 200,
  /** Places of a project with a decision, now or earlier: as many as a service may have endpoints. */
  decidedEndpoints: 20_000,
  /** Decisions of one endpoint that are listed; older ones are deleted. */
  decisionHistory: 50,
  /** Text of a decision's reason, and of its author's name. */
  decisionReasonChars: 2_000,
  decisionAuthorChars: 100,
  /** A file of decisions: 20,000 of them with short reasons have 4 MB. */
  decisionsBytes: 8 * 1024 * 1024,
  /** Sentences about what an upload left out. */
  inventoryNotes: 50,
  /** A file of owners (ROLLCALL_OWNERS). GitHub reads a CODEOWNERS file of 3 MB; routes are fewer than paths. An
   *  endpoint is held against each rule once: 10,000 endpoints and 2,000 rules take a second. */
  ownerFileBytes: 1024 * 1024,
  ownerRules: 2_000,
  ownersPerRule: 10,
  ownerChars: 100,
  /** Traits of an endpoint that differ from those noted last: two versions beside each other say two things. */
  traitNotesPerMinute: 4,
  /** A header of a response that announces the endpoint's end. A date has 29 characters; links are the longest. */
  announcementChars: 1_000,
  /** Bytes of the function or file of an endpoint's code. */
  codeTextBytes: 300,

  // Bytes of one stored text. Longer text is cut at a character.

  serviceNameBytes: 255,
  environmentBytes: 100,
  versionBytes: 100,
  instanceBytes: 100,
  routeBytes: 512,
  pathBytes: 2048,
  /** Segments of a route or path: matching costs the product of both numbers, and a hostile span may hold
   *  thousands. The deepest real routes have about 20. */
  routeSegments: 128,
  /** Parsed routes in the cache (at most 20 KB each); a full cache is emptied. */
  rememberedRoutes: 512,
  userAgentBytes: 512,
  consumerBytes: 200,
  errorTypeBytes: 200,
  clientBytes: 64,

  // Distinct values.

  /** Strings in the collector's interning tables, which are then emptied. Costs time, changes no number. */
  internedStrings: 500_000,
  /** Endpoints of one service; calls of further ones count for the endpoint `{other}` of their method. */
  endpointsPerService: 20_000,
  /** Of those, endpoints whose route is a template made from a path: a scanner must not fill the table. */
  templatedRoutesPerService: 2_000,
  /** Of those, endpoints with only refused calls: a scanner that gets 401 for every path takes a tenth of the
   *  room, and none from endpoints that answer. */
  refusedRoutesPerService: 200,
  /** Spellings of one shape (`/users/{id}`, `/users/{user_id}`) that a service uses with one method: parameters
   *  are renamed a few times in a service's life. What comes beyond is counted with the last one. */
  spellingsPerShape: 16,
  /** Spellings of a service beside the first of each endpoint: every endpoint may be renamed once. */
  spellingsPerService: 20_000,
  /** Spellings of one shape in one group of spans of one request are side by side when they are used within
   *  this time of each other: an exporter's batch is seconds old, only an import holds days. */
  sideBySideS: 300,
  /**
   * Without an attribute that identifies the process, two spellings are side by side after this many hours in
   * which both were used, or used in turn. A rolling deployment, its rollback and the next one take fewer.
   */
  sideBySideHours: 8,
  /** Hours remembered of one spelling: two weeks of calls once an hour. 8 bytes each. */
  sideBySideHoursKept: 336,
  /** Shapes with several spellings that are watched at once, and versions or instances of each: 10 MB when
   *  all are in use, and a fleet larger than that says it all in one process. */
  sideBySideGroups: 1_000,
  sideBySideBuilds: 64,
  /** Routes below one mounted prefix that are told apart; further ones become `{path}` (X14). */
  mountRemainders: 50,
  /** Siblings below one prefix of a service, each called once or twice, before further ones become `{path}`
   *  (docs/extraction.md X25): pages of a web application that answers any path, objects of a store. */
  rareSiblings: 24,
  /** Routes that answered, which a collector remembers for calls that report none (docs/extraction.md X28): 200
   *  bytes each. Past the bound it forgets all and learns anew. */
  answeredRoutes: 20_000,
  /** Endpoints of a project and of a store, all services together. An endpoint costs the analyzer about 12 KB while
   *  it is reported: 40,000 fit the memory limits of docs/deploy/kubernetes.yaml. */
  endpointsPerProject: 30_000,
  endpointsPerStore: 40_000,
  /** New endpoints of a project at once, and in each further hour: the largest service there may be, then a large one
   *  every few hours. A sender that makes them up fills a bound in a day, not in seconds. */
  newEndpoints: 25_000,
  newEndpointsPerHour: 2_000,
  /** Where a bound is reached, made-up routes that were not called for a week are given up, so many at once, at most
   *  once an hour: those with the fewest calls first. */
  idleEndpointS: 7 * 86_400,
  idleEndpointsAtOnce: 200,
  servicesPerProject: 1_000,
  /** Characters of an endpoint's id. Engines make the ids; longer text is no id of any engine. */
  endpointIdChars: 64,
  /** Clients of an endpoint that are counted exactly in one stored period. Beyond, their number is an estimate
   *  (HyperLogLog, 1.6 % error) and the rarest clients share the bucket `{other}`. */
  clientsPerEndpoint: 4_096,
  /** Consumers of an endpoint that are counted one by one in one stored period; the rarest beyond share the bucket
   *  `{other}`. Partners and applications are dozens; where consumers are users, those that call most are named. */
  consumersPerEndpoint: 1_000,
  /** Clients, and consumers, of one version of an endpoint that are counted one by one in one stored period in which
   *  several versions answered: `versionsPerEndpoint` times as many are kept beside those of the endpoint. */
  clientsPerVersion: 512,
  consumersPerVersion: 256,
  /** Service versions of an endpoint that are counted one by one in one stored period, each with a histogram; the
   *  oldest beyond share the bucket `{other}`. 64 days of a release every third day. */
  versionsPerEndpoint: 20,
  /** Last callers in an endpoint's permanent record, latest first. */
  lastCallers: 5,
  /** Service versions in an endpoint's permanent record, latest first: a year of releases every other week. */
  versionsPerRecord: 32,
  /** Days of use in an endpoint's permanent record, one bit each: as long as the longest retention. A multiple
   *  of 8. */
  recordDays: 3664,

  // What arrived at the collector (core/store/arrivals.ts).
  /** Days whose counts are kept: a mistake in a service's configuration is looked for in the last days. */
  arrivalDays: 8,
  /** Services of a project and day that are told apart: an ingest key may send any names. */
  arrivalServices: 500,
  /** Between two writes of a collector: each is a commit of its own beside those of calls. */
  arrivalEveryMs: 10_000,
  /** From the first arrival after a silence to its write: somebody waits before the first page. */
  arrivalSoonMs: 500,

  /** Days of the burn-down of dead endpoints: one row each. */
  verdictDays: 3_660,
  /** Changes of one endpoint's verdict that are listed. */
  verdictChanges: 1_000,
  /** Texts of evidence that a project keeps, so that a link to one stays true: about 2 KB each. */
  evidences: 10_000,

  // Spans of one call (X2, X16).

  /** SERVER spans of one request that are joined into calls: about 40 MB of columns while the request is read.
   *  Each further span counts as a call of its own. */
  joinedSpans: 400_000,
  /** Spans remembered to join the spans of one call that arrive in two requests: 20 MB, allocated only when a
   *  service sends such spans. A power of two; the oldest is evicted. Holds a minute of 1,000 calls a second
   *  with two spans each; an exporter's delay is 5 s. */
  joinedSpansRemembered: 131_072,
  /** Spans of counted calls remembered to count a span once that is sent twice: 1 MB. Copies come within seconds
   *  of each other; this holds 13 s of 10,000 calls a second. A power of two. */
  countedSpans: 131_072,
  // Internal callers (docs/decisions/0023-internal-callers.md).

  /** Spans that may be a call's parent, and calls whose parent has not arrived: 4 MB in 16 bytes each. A power of two;
   *  in a bucket of 4 the oldest is replaced. Holds half a minute of `linkedSpansPerS`; a parent comes within two delays
   *  of exporters, 5 s each. */
  rememberedParents: 262_144,
  /** Spans a second that are looked at, about 0.1 µs of CPU each; of more, those of every second, fourth, … trace. */
  linkedSpansPerS: 8_192,
  /** Services that call, of all projects of a collector; further ones share `{other}`. */
  internalCallers: 10_000,
  /** Callers, endpoints and hours whose counts a collector has in hand: 200 bytes each. */
  internalCallLinks: 20_000,
  /** Callers of an endpoint and hour that the store tells apart: a sender may name any as `peer.service`. */
  internalCallersPerEndpoint: 100,
  /** Days whose counts are kept by the hour; before, by the day. */
  internalCallerHourDays: 9,
  /** Between two writes of a collector: each is a commit of its own beside those of calls. */
  internalCallsEveryMs: 10_000,
  /** Counts of one such commit: about 2 ms. */
  internalCallsAtOnce: 500,

  /** Digests of messages, to distinguish a repeated message from one that copies spans: 0.5 MB. */
  recentDigests: 4_096,
  /** Seconds by which the ends of two copies of a span may differ. Spans with the same ids that end further
   *  apart are of two calls: forked processes can draw the same random ids. */
  sameSpanS: 2,
  /** Services whose spans are remembered; a full table is emptied. */
  joinedServices: 10_000,
  /** Inner spans read for the route or status of one call; real ones are nested two or three deep. */
  joinedEvidence: 16,

  // Repeated deliveries, clocks, sampling.

  /** A repeated body is recognised for this long (X13). The Collector retries for 5 minutes. */
  deliveryMemoryS: 3600,
  /** Digests of deliveries in memory (24 bytes each): an hour of 1,100 a second. The oldest is evicted. */
  rememberedDeliveries: 4_000_000,
  /** Spans that end later than this from now are rejected: the sender's clock is wrong. */
  futureS: 600,
  /** A step of the machine's clock up to this is taken at once (core/store/store-clock.ts): a restart, a time zone
   *  taken for UTC. If the clock is wrong, so much is deleted early. */
  clockStepS: 7200,
  /** A larger step is held back for this share of itself, at most a week: an hour and a half after a weekend's
   *  pause, ten hours after ten days, a week after years. */
  clockStepShare: 24,
  clockStepHeldS: 7 * 86_400,
  /** A step that grows by up to this while it is held back is the same one: the machine sleeps at night. */
  clockSameStepS: 86_400,
  /** How often store time is written, at most. */
  clockStoredS: 60,
  /** A longer duration is no latency: its start was never set (1 ns after 1970), or its clock jumped. The call
   *  counts without a duration. The histogram's last bucket ends at 25.4 days, 2^41 µs. */
  callDurationNs: 25 * 86_400 * 1e9,
  /** Instances with a clock ahead of ours that /metrics names; further ones share `{other}`. */
  clocksAhead: 100,
  /** Largest sampling weight of one span: one call in a million. Real samplers keep at least one in 10,000; a
   *  larger weight is a mistake and would drown every count it is added to. */
  callWeight: 2 ** 20,
  /** Calls committed and not rolled up yet: the only raw calls that a report reads. */
  notRolledUpCalls: 50_000,

  /** One request to ClickHouse, until its first byte comes. Servers answer in milliseconds; a start after a crash, in
   *  seconds. */
  clickhouseMs: 30_000,
  /** SQLite's pages of the state in memory that are sorted or changed at once. */
  clickhouseCacheKiB: 16_384,
  /** Calls of deliveries that one step of a compactor takes, and that a report reads beside the state. */
  deliveredCalls: 200_000,
  /** Calls that a report on ClickHouse adds to the state, about 100 bytes each. More wait only where nothing compacts. */
  uncompactedCalls: 2_000_000,

  /** A collector reads the digests of other collectors' deliveries again after so long. Exporters try again after a
   *  second or later. */
  knownDeliveriesMs: 500,

  /** Bytes after which `rollcall copy` writes down how far it is. Broken off, it loses so much work. */
  copiedPieceBytes: 2 * 1024 * 1024,

  /** Damaged rows that are remembered by name: the log and `rollcall check` name them all. */
  damagedNames: 1_000,
  /** Free bytes of the disk below which raw calls of release 0.1.0 stay in rows: a step of the conversion writes a
   *  block and its log, and commits of calls need room too. */
  conversionFreeBytes: 128 * 1024 * 1024,

  // Connections. The attributes of a span and the spans of a request have no bound of their own: the body's
  // bytes bound both.

  /** The error message of an answer (R9): exporters log it, and some refuse a large answer. */
  errorMessageBytes: 1024,
  /** Request line and headers. L1 asks for at least 16 KiB, Node's default. */
  headerBytes: 32 * 1024,
  /** An idle connection stays open longer than any exporter's own idle time (Go: 90 s). If the server closed
   *  first while the exporter sends, the request would be lost (H11). */
  keepAliveMs: 95_000,
  /** Deadlines for the headers and for the whole request. Exporters give up after 10 s, the Collector after
   *  60 s. Node counts the first request from the connection's start, so headers get more than keepAliveMs. */
  headersMs: 100_000,
  requestMs: 120_000,
  /** How often Node checks these deadlines. */
  timeoutCheckMs: 5_000,
  /** A connection that moves no byte for this long during a request is closed. */
  silentSocketMs: 60_000,
  /** Bytes of a refused body that are still read and dropped, and for how long: a sender that meets a closed
   *  connection in the middle of its body does not see the answer. */
  discardBytes: 4 * 1024 * 1024,
  discardMs: 2_000,
  /** gRPC: streams open on one connection. G10 asks for 100; an exporter opens a few, a Collector's queue some
   *  dozens. */
  grpcStreams: 256,
  /** gRPC: flow-control windows of one stream and of its connection. With HTTP/2's default of 64 KiB a sender
   *  100 ms away reaches 640 KiB a second. A stream that is read slowly (while it is decompressed) holds at
   *  most this much beyond the budget. */
  grpcStreamWindowBytes: 1024 * 1024,
  grpcConnectionWindowBytes: 16 * 1024 * 1024,
  /** gRPC: memory of one connection in nghttp2 and its streams; beyond, new streams are refused. */
  grpcConnectionMemoryMib: 128,
  /** gRPC: deadline for a connection's first bytes, which show its protocol. */
  prefaceMs: 10_000,
  /** TCP keep-alive of gRPC connections: an idle one may live for days, and the kernel probes its peer. */
  probeIdleMs: 60_000,
  /** The message of a gRPC health check, which holds a service's name. */
  healthMessageBytes: 4096,
  /** How often `Watch` of the health service checks for a change. */
  healthWatchMs: 2_000,
  /** At shutdown: how long requests under way may take, and when the process exits with an error although its
   *  store has not closed. Container platforms kill after 10 s. */
  shutdownMs: 4_000,
  exitMs: 8_500,
  /** `rollcall serve` kills a service that has not ended by then: after exitMs, before the platform does. */
  killMs: 9_000,
  /** Deadline of /readyz, also when the store hangs. */
  readyMs: 2_000,

  // Keys.

  /** Projects of a store; keys in use of one project and of the store. Every process holds all keys in memory
   *  (about 300 bytes each) and reads all of them again (10 ms) when one changes. */
  projects: 1_000,
  keysPerProject: 100,
  keys: 10_000,
  /** Revoked keys of a project that are listed, latest first. */
  revokedKeys: 100,
  /** People signed in to the dashboard of one process at once, in all and with one key (about 500 bytes each). A session
   *  ends when it
   *  was unused for half a day, a working day and its evening, or a week after it began. */
  sessions: 1_000,
  sessionsPerKey: 100,
  sessionIdleS: 12 * 3600,
  sessionS: 7 * 86_400,
  /** Age at which a process checks for changed keys: a revoked key is refused within a second. */
  keyCheckMs: 250,
  /** A key's last use is written at most this often. */
  keyUseS: 60,
  /** Characters of a header that may hold a key. Keys have 47, ROLLCALL_ADMIN_KEY at most 256. */
  keyHeaderLength: 1_024,
  /** Wrong keys of one address (IPv6: one /64) within a period: more than the restart of a fleet with an old key
   *  needs, far fewer than guessing would. */
  failedKeys: 100,
  failedKeysS: 60,
  /** Addresses whose wrong keys are counted (about 150 bytes each); the oldest is evicted. */
  failedKeyAddresses: 10_000,
  /** Body of a request that creates a project or key. */
  commandBytes: 16 * 1024,

  // Configuration.

  /** Connections of one listener, in all and of one address. Memory: about 20 KB each in the clear, 60 KB over TLS.
   *  Services behind one load balancer or Docker's proxy share an address. */
  connections: 4_096,
  addressConnections: 3_072,
  /** Requests of one HTTP/1.1 connection without an answer yet. Exporters and browsers send one. */
  pipelinedRequests: 16,
  /** Bytes of answers in memory that clients have not read. A report of 20,000 endpoints has 5 MB as CSV: 25 of them. */
  unreadAnswerBytes: 128 * 1024 * 1024,
  /** One question of `rollcall sql`: its text, what it answers, and what its process takes. SQLite itself needs some
   *  tens of MiB, a sort of a million rows a few hundred. */
  sqlBytes: 256 * 1024,
  sqlRows: 1_000_000,
  sqlS: 3_600,
  sqlAnswerBytes: 64 * 1024 * 1024,
  sqlMemoryMiB: 1_024,
  /** Parameters of one query. The richest report has 20; a list may be given one value a time. */
  queryParameters: 200,
  /** How long keys, inventories and the like wait for another process's transaction. Ours last milliseconds,
   *  migrations seconds. */
  lockWaitMs: 10_000,
  /** How long a collector that finds a new lock file waits for the store's writer to answer. A writer looks once a
   *  second, and a transaction lasts 0.2 s. */
  writerAnswerMs: 5_000,
  /** Texts of /metrics that are made in a second, 0.5 to 2 ms each; further askers share the last one. */
  metricsTextsPerS: 100,
  /** Readiness is proven at most once in this time, however many ask. */
  proofMs: 1_000,
  /** Path of an export that settings put together by mistake: a few signals' paths in a row. */
  exportPathCharacters: 200,
  /** An Origin header, and an item of ROLLCALL_CORS_ORIGINS: a host name has at most 253 characters. */
  originCharacters: 300,
  /** The path below which a proxy serves the analyzer: a few segments. */
  pathPrefixCharacters: 200,
  /** How often certificate files are checked; a change is used when the next check finds no further one. */
  certificateCheckMs: 1_000,
  /** A file with certificates or a key. A bundle of every public authority has 220 KB. */
  pemBytes: 1024 * 1024,

  /** ROLLCALL_TRACE_URL: browsers and proxies take addresses of 2,000 characters. */
  traceUrlCharacters: 2_000,
  /** Items of one list: each is compared with every call. */
  settingItems: 100,
  /** ROLLCALL_ADMIN_KEY: at least 128 bits in hexadecimal digits; at most what every HTTP client can send. */
  adminKeyChars: { least: 32, most: 256 },
  /** A span attribute's name, an HTTP method, a header's name and value: longer ones are mistakes. */
  attributeNameChars: 200,
  methodChars: 32,
  headerNameChars: 64,
  headerValueChars: 1_000,
  /** ROLLCALL_MEMORY_MIB: code and caches alone take 200 MiB. */
  memoryMib: { least: 512, most: 65_536 },
  /** Largest ROLLCALL_MAX_BODY_MIB: a body is held in memory as a whole. */
  bodyMibMost: 1024,

  // Reports.

  /** Longest window of a report, and longest retention: ten years of 366 days. */
  windowDays: 3660,
  /** Queries that wait for their answers, in all and of one project: a dashboard's page sends six, and equal ones
   *  count once. Each waits for those before it, 0.1 to 0.3 s with 10,000 endpoints, and clients give up after
   *  30 to 60 s. */
  waitingQueries: 128,
  waitingQueriesPerProject: 64,
  /** Commands on inventories, decisions and the like under way at once, in all and of one project. Most take
   *  milliseconds; bytes of their bodies: core/config/memory.ts. */
  commandsAtOnce: 16,
  commandsAtOncePerProject: 8,
  /** Longest Retry-After of a query that was refused because too many wait. */
  queryRetryAfterS: 60,
  /** Answers of fewer bytes are not compressed: it would save no packet. */
  compressedFromBytes: 1024,
  /** Rows of one table of a PDF document, about 60 a page. A page costs 1 MB of heap until the document is written: two
   *  tables of 10,000 rows ended the answering thread of a container of 768 MiB. */
  documentRows: 1_000,
  /** Rows of one list answer. */
  listRows: 10_000,
  /** Clients that /clients lists, page by page; the rest is its last row, `{other}`. As many as a remembered
   *  list may have. */
  listedClients: 50_000,
  /** Consumers that /consumers lists, page by page; the rest is its last row, `{other}`. */
  listedConsumers: 10_000,
  /** Consumers of a project on which notes are kept, about 300 bytes each; characters of a display name, a group and
   *  a contact; and the bytes of a body that tells of many. */
  consumerNotes: 10_000,
  consumerNoteCharacters: 200,
  consumerNotesBytes: 2 * 1024 * 1024,
  /** Events of a project that were told, about 300 bytes each: ten a day for nearly three years. Characters of their
   *  titles and links, and how far ahead an announced one may be. */
  toldEvents: 10_000,
  eventTitleCharacters: 200,
  eventLinkCharacters: 1_000,
  eventAheadMs: 366 * 86_400_000,
  /** Rows of the lists that are remembered so that their next pages are of the same moment; 1 to 1.5 KB
   *  each, 60 MB. Five whole lists of the longest page; a list of more rows is not remembered. */
  rememberedListRows: 50_000,
  /** A list is forgotten when no page of it was read for so long: a person who pages by hand, or a script
   *  that waits out a rate limit between two pages. */
  rememberedListMs: 600_000,
  /** A cursor holds the names of one row: at most 870 bytes, each up to 6 characters of JSON, twice, in
   *  base64. Real ones have about 200. */
  cursorCharacters: 16_384,
  /** Points of one time series: a chart as wide as a large screen. */
  seriesPoints: 2_000,
  /** Points of all series of a grouped one: 6 MB of JSON. */
  groupedPoints: 25_000,
  /** Groups of a time series besides the rest: more lines are no chart. */
  seriesGroups: 50,
  /** Rows of one page of raw calls: a cursor in the middle of a search names as many calls, 3 to 4 bytes each. */
  callPageRows: 2_000,
  /** Lists of any length that are streamed at once, rows of the pages that are computed for them, and how often a
   *  page is asked for while the queue of queries is full. */
  listStreams: 8,
  streamedPageRows: 2_000,
  streamTries: 60,
  /** Calls that one page of a search visits; then it ends, and its cursor continues there. Visiting costs a few
   *  nanoseconds a call and filter. */
  visitedCalls: 2_000_000,
  /** The same for the slowest first: any block may hold one, so that less shows none at all. Ten million calls take
   *  about 0.5 s (docs/benchmarks.md). */
  visitedCallsBySlowness: 16_000_000,
  /** The same for each of the two lists of calls on an endpoint's page. */
  glancedCalls: 4_000_000,
  /** Calls of an endpoint in each of two windows that are compared: of fewer, only a difference of half and more
   *  would be seen. */
  comparedCalls: 50,
  /** Dates in the cache of isoTime: eleven years of days, 250 KB. A full cache is emptied. */
  cachedDates: 4_096,
} as const;

/** Routes that are no template of the service, but a visible bucket. */
export const specialRoutes = {
  unmatched: '(unmatched)',
  unknown: '(unknown)',
  other: '{other}',
} as const;
