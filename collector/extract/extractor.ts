import type { CallBatch, CallDictionary } from '../../core/call.ts';
import type { Config } from '../../core/config/config.ts';
import { limits } from '../../core/limits.ts';
import { TracesReader } from '../otlp/traces-reader.ts';
import { epochSeconds } from '../otlp/unix-nano.ts';
import { CallContextCache } from './call-context.ts';
import { CallRows } from './call-rows.ts';
import { InternalCallers } from './callers/internal-callers.ts';
import { TrustedProxies } from './client/address.ts';
import { ClientCache, invalidClient } from './client/client-cache.ts';
import type { ClientPrivacy } from './client/privacy.ts';
import type { ClockAhead } from './clock-skew.ts';
import { applyConvention, type Convention, ConventionCache, conventionOf } from './conventions.ts';
import { CountedSpans } from './counted-spans.ts';
import { nothingExtracted, type SpanCounts } from './counts.ts';
import { readDeclaredRoutes } from './declared-routes.ts';
import { EndpointCache, excludedByMethod } from './endpoint/endpoint-cache.ts';
import { httpMethods, methodOf, saysMethod } from './endpoint/http-method.ts';
import { KnownRoutes } from './endpoint/known-routes.ts';
import { PathRoutes } from './endpoint/path-routes.ts';
import { RouteCache } from './endpoint/route-cache.ts';
import { RpcRoutes, rpcStatusOf } from './endpoint/rpc-span.ts';
import { type SpanGroup, SpellingUses } from './endpoint/spelling-uses.ts';
import { TraitNotes } from './endpoint/trait-notes.ts';
import { reason as joinReason } from './join/call-groups.ts';
import { JoinedEvidence } from './join/joined-evidence.ts';
import { Joins } from './join/joins.ts';
import { opensWebSocket } from './open-connection.ts';
import { rejectionOf } from './rejection.ts';
import {
  instanceOf,
  processOf,
  type Resource,
  ResourceCache,
  serviceNameOf,
  wantedOfResource,
} from './resource.ts';
import { type ServiceArrival, ServiceArrivals } from './service-arrivals.ts';
import { isHttpSpan, mark, wantedAttributes } from './span-attributes.ts';
import { assumedStatus, statusOf } from './span-status.ts';

export interface ExtractorOptions {
  /** Gets the words of the calls; they must not outlive its epoch, see `Extractor.reset`. */
  dictionary: CallDictionary;
  config: Pick<
    Config,
    | 'trustedProxies'
    | 'consumerAttributes'
    | 'ownerAttributes'
    | 'excludeMethods'
    | 'excludeRoutes'
    | 'retention'
    | 'samplingFactors'
    | 'excludeLatency'
    | 'rpc'
  >;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** The privacy of the dictionary (a PrivateDictionary), when addresses are not stored in full. */
  privacy?: ClientPrivacy | undefined;
  /** False: no joining, for a caller that only checks whether a message can be decoded. */
  joins?: boolean;
  /** Routes of inventories; none when absent. */
  knownRoutes?: KnownRoutes;
  /** False: callers are not looked for. */
  findsCallers?: boolean;
  /** False: a span that is sent twice counts twice. */
  countsOnce?: boolean;
}

/**
 * Takes the calls out of export requests (docs/extraction.md). It remembers the words it has seen, by their bytes,
 * so that the spans of a service that runs for an hour cost no string, no object and no Map.
 */
export class Extractor {
  readonly #dictionary: CallDictionary;
  readonly #now: () => number;
  readonly #privacy: ClientPrivacy | undefined;
  #privacyGeneration: number | undefined;
  readonly #retentionS: number;
  readonly #walk: TracesReader;
  readonly #routes = new RouteCache();
  readonly #rpcRoutes = new RpcRoutes(this.#routes);
  readonly #countsRpc: boolean;
  readonly #clients: ClientCache;
  readonly #origins: CallContextCache;

  readonly #conventions = new ConventionCache();
  /** Of the scope in hand. */
  #convention: Convention = conventionOf('');
  #isGateway = false;
  readonly #resources: ResourceCache;
  readonly #endpoints: EndpointCache;
  readonly #spellings: SpellingUses;
  readonly #pathRoutes: PathRoutes;
  readonly #traits: TraitNotes;
  readonly #knownRoutes: KnownRoutes;
  readonly #countedSpans = new CountedSpans();
  readonly #rows: CallRows;
  /** Undefined when callers are not looked for. */
  readonly #callers: InternalCallers | undefined;

  readonly #isJoining: boolean;
  readonly #countsOnce: boolean;
  readonly #joins: Joins;
  readonly #joinedEvidence: JoinedEvidence;
  /** The index of the current span in `#joins`, or -1: no other span belongs to its call. */
  #joined = -1;
  #isSecondWalk = false;

  // The request in hand.
  #project = '';
  #resource!: Resource;
  #batch!: CallBatch;
  #firstCall = 0;
  /** The resource in hand; undefined until a span asks for it. */
  #known: Resource | undefined;
  readonly #groups: SpanGroup[] = [];
  readonly #arrivals = new ServiceArrivals();
  #extracted: SpanCounts = nothingExtracted();
  #nowS = 0;
  #oldestS = 0;
  #latestS = 0;
  /** Of the resource in hand. */
  #clockAhead: ClockAhead | undefined;

  constructor({
    dictionary,
    config,
    now,
    privacy,
    joins = true,
    countsOnce = joins,
    findsCallers = joins,
    knownRoutes = new KnownRoutes(),
  }: ExtractorOptions) {
    this.#knownRoutes = knownRoutes;
    this.#pathRoutes = new PathRoutes(this.#routes, knownRoutes);
    this.#dictionary = dictionary;
    this.#traits = new TraitNotes(dictionary);
    this.#now = now;
    this.#privacy = privacy;
    this.#privacyGeneration = privacy?.generation;
    this.#retentionS = config.retention.daysS;
    const ofResource = wantedOfResource(config.ownerAttributes);
    this.#resources = new ResourceCache(config.samplingFactors, ofResource.ownerSlots);
    this.#spellings = new SpellingUses(dictionary);
    this.#endpoints = new EndpointCache(dictionary, this.#routes, this.#spellings, config);
    this.#countsRpc = config.rpc;
    this.#clients = new ClientCache(dictionary, new TrustedProxies(config.trustedProxies));
    const { keys, consumerSlots } = wantedAttributes(config.consumerAttributes);
    this.#origins = new CallContextCache(dictionary, consumerSlots);
    this.#callers = findsCallers ? new InternalCallers(dictionary, this.#origins) : undefined;
    const serviceName = () => serviceNameOf(this.#walk.resource);
    const resourceInHand = () => {
      this.#known ??= this.#resources.resourceOf(this.#project, this.#walk.resource);
      return this.#known;
    };
    const clientSpan = (start: number) => {
      if (!this.#isSecondWalk) this.#callers?.client(this.#walk, start, resourceInHand);
    };
    this.#walk = new TracesReader(
      { resource: ofResource.keys, span: keys },
      {
        resource: () => {
          this.#resource = resourceInHand();
          this.#joins.resource(this.#resource);
          this.#arrivals.resource(this.#resource.service, this.#extracted);
          this.#clockAhead = undefined;
          const { service, version } = this.#resource;
          const instance = this.#spellings.isWatching ? processOf(this.#walk.resource) : '';
          this.#groups.push({ from: this.#batch.length, service, by: { version, instance } });
        },
        scope: () => {
          this.#convention = this.#conventions.of(this.#walk);
          this.#isGateway = this.#convention.isGateway === true;
        },
        serverSpan: () => {
          const { attributes, cursor } = this.#walk;
          if ((attributes.marks & (mark.other | mark.rpc)) !== 0) {
            applyConvention(attributes, cursor.bytes, this.#convention);
          }
          if (this.#isSecondWalk) return this.#takeByPlan();
          this.#joins.note(this.#walk);
          this.#takeSpan();
        },
        ...(findsCallers && { clientSpan }),
        inventorySpan: (start, end) => this.#takeDeclaration(start, end),
        resourceEnd: () => {
          this.#known = undefined;
          this.#callers?.resourceEnd();
          this.#arrivals.resourceEnd(this.#extracted, this.#walk.otherSpans, serviceName);
        },
      },
    );
    this.#rows = new CallRows(this.#walk, this.#countedSpans, config.excludeLatency);
    this.#isJoining = joins;
    this.#countsOnce = countsOnce;
    this.#joins = new Joins(config.rpc);
    this.#joinedEvidence = new JoinedEvidence(this.#joins, this.#walk, this.#routes);
  }

  /** Cached texts here and in the dictionary, as a share of `limits.internedStrings`. */
  get size(): number {
    return (
      this.#dictionary.size +
      this.#resources.weight +
      this.#endpoints.size +
      this.#spellings.size +
      this.#routes.weight +
      this.#clients.weight +
      this.#origins.weight
    );
  }

  /** Forgets all words, the dictionary's too. Only between batches, after `dictionary.takeNew()`. */
  reset(): void {
    this.#dictionary.reset();
    this.#routes.clear();
    this.#rpcRoutes.clear();
    this.#clients.clear();
    this.#origins.clear();
    this.#endpoints.clear();
    this.#spellings.clear();
    this.#pathRoutes.clear();
    this.#traits.clear();
    this.#resources.clear();
    this.#callers?.clear();
    this.#callers?.forgetResources();
  }

  /** Call when addresses get new replacements: caches of the old ones are emptied. */
  #forgetCallers(): void {
    this.#privacyGeneration = this.#privacy?.generation;
    this.#clients.clear();
    this.#origins.clear();
  }

  /**
   * Walks one ExportTraceServiceRequest and appends its calls to the batch, all or none.
   * @param message is read in place and not kept
   * @throws AppError `invalid` with the byte offset and the fault; the batch is then unchanged
   */
  extract(project: string, message: Buffer, batch: CallBatch): SpanCounts {
    const nowMs = this.#now();
    const nowS = Math.floor(nowMs / 1000);
    this.#nowS = nowS;
    this.#privacy?.turn(nowMs);
    if (this.#privacyGeneration !== this.#privacy?.generation) this.#forgetCallers();
    this.#latestS = nowS + limits.futureS;
    this.#oldestS = nowS - this.#retentionS;
    this.#project = project;
    this.#batch = batch;
    this.#extracted = nothingExtracted();
    this.#rows.begin(batch, this.#extracted);
    const before = batch.length;
    this.#firstCall = before;
    this.#known = undefined;
    this.#groups.length = 0;
    this.#arrivals.begin();
    try {
      this.#joins.begin(project);
      this.#callers?.begin(project, nowS, this.#walk);
      this.#pathRoutes.begin();
      this.#traits.begin();
      this.#walk.walk(message);
      if (this.#isJoining && this.#joins.needed && this.#joins.plan(message)) {
        batch.truncate(before);
        this.#extracted = nothingExtracted();
        this.#rows.begin(batch, this.#extracted);
        this.#pathRoutes.takeBack();
        this.#traits.takeBack();
        this.#isSecondWalk = true;
        this.#callers?.beginAgain();
        this.#groups.length = 0;
        this.#arrivals.begin();
        this.#walk.walk(message);
      }
      this.#spellings.note(batch, this.#groups);
      const repeated = this.#countsOnce ? this.#removeRepeated(batch, before) : undefined;
      const linked = this.#callers?.settle(batch, before, this.#walk.clientSpans, repeated);
      if (linked !== undefined) this.#extracted.linked = linked;
      this.#joins.remember(batch);
      this.#traits.finish(batch);
      this.#extracted.notServer = this.#walk.otherSpans - this.#joins.promotions;
    } catch (error) {
      batch.truncate(before);
      this.#pathRoutes.takeBack();
      this.#traits.takeBack();
      throw error;
    } finally {
      this.#isSecondWalk = false;
      this.#joined = -1;
      this.#joins.end();
    }
    return this.#extracted;
  }

  /** What became of the spans of the message that was extracted last, by service. */
  get arrivals(): readonly ServiceArrival[] {
    return this.#arrivals.found;
  }

  /** The batch was not committed: its requests, which come again, are counted as if for the first time. */
  forget(batch: CallBatch): void {
    this.#joins.forget(batch);
    this.#traits.clear();
    this.#countedSpans.forget(batch);
    this.#callers?.clear();
  }

  /** The batch is durable. */
  committed(batch: CallBatch): void {
    this.#countedSpans.committed(batch);
  }

  /** Takes calls from `first` on out of the batch whose spans were counted before. @returns their places before that */
  #removeRepeated(batch: CallBatch, first: number): number[] | undefined {
    const repeated = this.#countedSpans.settle(batch, first);
    if (repeated === undefined) return undefined;
    const { calls, uncommitted } = repeated;
    const { service } = this.#groups.findLast(({ from }) => from <= calls[0]!)!;
    batch.remove(calls);
    this.#extracted.stored -= calls.length;
    this.#extracted.duplicate.same_span += calls.length;
    this.#extracted.sameSpan = { service, uncommitted };
    return calls;
  }

  #takeDeclaration(start: number, end: number): void {
    const { cursor, resource } = this.#walk;
    const { declared = [] } = this.#extracted;
    if (declared.length >= limits.declarationsPerRequest) return;
    const found = readDeclaredRoutes(cursor.bytes, start, end, this.#nowS * 1000);
    if (found === undefined) return;
    const before = declared.reduce((sum, { routes }) => sum + routes.length, 0);
    if (before + found.routes.length > limits.declaredPerRequest) return;
    const { project, service, environment, version } = this.#resources.resourceOf(
      this.#project,
      resource,
    );
    const instance = processOf(resource);
    declared.push({ project, service, environment, version, instance, ...found });
    this.#extracted.declared = declared;
  }

  /** A span of a request in which several are of one call. */
  #takeByPlan(): void {
    const joins = this.#joins;
    const place = joins.at(this.#walk.spanStart);
    const promoted = place < 0 ? -1 : joins.promoted(place);
    this.#joined = promoted < 0 ? place : promoted;
    if (promoted >= 0) {
      this.#arrivals.promoted();
      this.#extracted.notHttp += 1;
      this.#walk.readSpan(joins.spans.start[promoted]!, joins.spans.end[promoted]!);
    }
    const why = this.#joined < 0 ? joinReason.none : joins.reasonOf(this.#joined);
    if (why === joinReason.none) {
      this.#joinedEvidence.fill(this.#joined);
      this.#takeSpan();
    } else this.#extracted.duplicate[why === joinReason.nested ? 'nested' : 'sibling'] += 1;
  }

  #takeSpan(): void {
    const walk = this.#walk;
    const extracted = this.#extracted;
    const { attributes } = walk;
    const isHttp = isHttpSpan(attributes.marks);
    if (!isHttp && !(this.#countsRpc && (attributes.marks & mark.rpc) !== 0)) {
      extracted.notHttp += 1;
      if (!this.#isSecondWalk) this.#joins.noteOther(walk);
      return;
    }
    const endS = epochSeconds(walk.endHigh, walk.endLow);
    if (endS > this.#nowS + 1) this.#noteClockAhead(endS - this.#nowS);
    const reason = rejectionOf(walk, endS, this.#oldestS, this.#latestS);
    if (reason !== null) {
      extracted.rejected[reason] += 1;
      return;
    }
    let method = isHttp ? methodOf(walk) : rpcMethod;
    let status = isHttp ? statusOf(attributes) : rpcStatusOf(attributes);
    if (status === 0) status = assumedStatus(walk, this.#convention, extracted);
    const isSocket = opensWebSocket(attributes, walk.cursor.bytes, status, method);
    // ASGI's scopes of WebSockets have no method; a handshake is a GET.
    if (method === 0 && isSocket && !saysMethod(attributes)) method = handshakeMethod;
    let route = isHttp
      ? this.#routes.numberOf(walk, method, status, this.#isGateway)
      : this.#rpcRoutes.numberOf(walk, status);
    if (this.#joined >= 0) {
      route = this.#joinedEvidence.routeOf(this.#joined, route, method, status);
    } else if (isHttp && this.#routes.foundMount && !this.#isSecondWalk) {
      this.#joins.noteMounted(walk);
    }
    let isByPath = false;
    if (isHttp) {
      if (this.#routes.foundErrorPage || this.#routes.foundNothing) {
        route = this.#pathRoutes.answered(walk, this.#resource, route, method);
      }
      if (this.#routes.foundNoName && !this.#knownRoutes.isEmpty) {
        const known = this.#pathRoutes.declared(walk, this.#resource, route, method, status);
        isByPath = known !== route;
        route = known;
      }
    }
    const endpoint = this.#endpoints.endpointOf(this.#resource, method, route, status);
    if (endpoint < 0) {
      extracted.excluded[endpoint === excludedByMethod ? 'method' : 'route'] += 1;
      return;
    }
    if (status >= 100 && status < 300) {
      this.#pathRoutes.note(endpoint, this.#resource, route, method);
    }
    let client = this.#clients.clientOf(walk);
    if (client === invalidClient) {
      client = 0;
      extracted.invalidClients += 1;
    }
    const origin = this.#origins.originOf(walk, this.#resource, status);
    const resource = this.#resource;
    this.#rows.append(resource, endS, endpoint, client, origin, status, isSocket);
    this.#callers?.note(this.#batch.length - 1 - this.#firstCall, walk, resource);
    if (isByPath || (attributes.marks & mark.trait) !== 0 || resource.traitsHash !== 0) {
      this.#traits.take(walk, resource, endpoint, isByPath, endS, this.#nowS);
    }
  }

  /** A clock that is right is never ahead: a span comes after it ended (docs/extraction.md X11). */
  #noteClockAhead(aheadS: number): void {
    if (this.#clockAhead === undefined) {
      const { service } = this.#resource;
      const instance = instanceOf(this.#walk.resource);
      this.#clockAhead = { service, instance, aheadS };
      this.#extracted.clocksAhead.push(this.#clockAhead);
    } else if (aheadS > this.#clockAhead.aheadS) this.#clockAhead.aheadS = aheadS;
  }
}

const rpcMethod = httpMethods.indexOf('POST');
const handshakeMethod = httpMethods.indexOf('GET');
