import type { Authorizer } from '../core/auth/authorizer.ts';
import { openTenancy, warnWithoutKeys } from '../core/auth/tenancy.ts';
import { CallDictionary } from '../core/call.ts';
import { type Config, readConfig } from '../core/config/config.ts';
import { limits } from '../core/limits.ts';
import { type Log, openLog } from '../core/log.ts';
import { runService } from '../core/process.ts';
import { type Certificates, openCertificates } from '../core/server/certificates.ts';
import { openHostCheck } from '../core/server/host-check.ts';
import { storePlace } from '../core/store/engine.ts';
import { Retrying } from '../core/store/late.ts';
import { conversionText, type StoreNotice } from '../core/store/notices.ts';
import type { CallWriter } from '../core/store/store.ts';
import { heldStepText } from '../core/store/store-clock.ts';
import { type ClientPrivacy, openClientPrivacy } from './extract/client/privacy.ts';
import { PrivateDictionary } from './extract/client/private-dictionary.ts';
import { InventoryRefresh } from './extract/endpoint/inventory-refresh.ts';
import { KnownRoutes } from './extract/endpoint/known-routes.ts';
import { Extractor } from './extract/extractor.ts';
import { openGrpcServer } from './grpc/server.ts';
import { openHttpServer } from './http/server.ts';
import { ArrivalRecorder } from './ingest/arrivals.ts';
import { Ingest } from './ingest/ingest.ts';
import { InternalCallRecorder } from './ingest/internal-callers.ts';
import { LargeMessages } from './ingest/large-message.ts';
import { CollectorMetrics } from './metrics.ts';
import { LargeJson } from './otlp/large-json.ts';
import { BufferPool } from './request/body.ts';
import { LogThrottle } from './request/log-throttle.ts';
import { ScavengeAfterChunks } from './request/minor-gc.ts';
import { setV8Flags } from './v8-flags.ts';

/** The collector: OTLP in, calls committed to the store. */
export interface Collector {
  /** Where OTLP over HTTP listens, with the port that was really taken. */
  url: string;
  /** Where OTLP over gRPC listens, in the same form. */
  grpcUrl: string;
  /** As of its writer. */
  readonly lost: CallWriter['lost'];
  /** Closes the listeners, commits accepted calls, then closes the store. */
  close(): Promise<void>;
}

/** @throws AppError `conflict` when the port is taken or another collector writes the store */
export async function startCollector(
  config: Config,
  log: Log = openLog('collector', config.logLevel),
): Promise<Collector> {
  const place = storePlace(config.store);
  const certificates = config.tls && (await openCertificates(config.tls, log));
  const keepsAddresses = config.clientPrivacy === 'full';
  const { retention, ignoreConsumers } = config;
  const writer = await place.openWriter({
    retention,
    keepsAddresses,
    ignoreConsumers,
    onHeldStep: (held) => {
      if (held) log.warn({ ...held }, heldStepText(held));
      else log.info("the store's time is the clock's again");
    },
    onNotice: storeLog(log),
  });
  // The writer holds the store's lock, so no other process uses the key.
  const privacy = await openPrivacy(config, place.clientKeyPath, log).catch(
    async (error: unknown) => {
      await writer.close();
      throw error;
    },
  );
  const tenancy = openTenancy(config);
  const inventories = new Retrying(place.openInventories);
  const knownRoutes = new KnownRoutes();
  const refresh = new InventoryRefresh(knownRoutes, () => inventories.get());
  await refresh.read();
  const arrivalStore = new Retrying(place.openArrivals);
  const onFailure = (error: unknown) =>
    log.warn({ err: error }, 'counts for /doctor are not written; trying again');
  // Opened before the first request: opening makes a file that is absent, and a store that was moved away while in
  // use must not be made anew.
  await arrivalStore.get().catch(onFailure);
  const arrivals = new ArrivalRecorder({
    store: () => arrivalStore.get(),
    now: Date.now,
    onFailure,
  });
  const callerStore = new Retrying(place.openInternalCallers);
  await callerStore.get().catch(onFailure);
  const internalCalls = new InternalCallRecorder({
    store: () => callerStore.get(),
    now: Date.now,
    onFailure: (error) =>
      log.warn({ err: error }, 'counts of internal callers are not written; trying again'),
  });
  const sources = { writer, privacy, knownRoutes, arrivals, internalCalls };
  const ingest = openIngest(config, sources, log);
  const parts = { ...ingest, arrivals, authorizer: tenancy.authorizer, certificates };
  const listeners = await openListeners(config, parts, log).catch(async (error: unknown) => {
    await tenancy.close();
    await refresh.close();
    await inventories.close();
    await arrivalStore.close();
    await callerStore.close();
    await writer.close();
    throw error;
  });
  // The listening line with the addresses, printed at every log level.
  const level = config.logLevel === 'silent' ? 'silent' : 'info';
  log.child({}, { level }).info({ ...listeners.urls, store: place.name }, 'listening');
  await warnWithoutKeys(tenancy, config, log);
  return {
    url: listeners.urls.otlp_http,
    grpcUrl: listeners.urls.otlp_grpc,
    lost: writer.lost,
    async close() {
      certificates?.close();
      privacy?.close();
      await Promise.all([listeners.close(), parts.ingest.close()]);
      await arrivals.close();
      await arrivalStore.close();
      await internalCalls.close();
      await callerStore.close();
      await tenancy.close();
      await refresh.close();
      await inventories.close();
      await Promise.all([writer.close(), parts.largeJson.close()]);
    },
  };
}

interface Parts {
  ingest: Ingest;
  metrics: CollectorMetrics;
  largeJson: LargeJson;
  largeMessages: LargeMessages;
}

async function openPrivacy(
  config: Config,
  keyPath: string | undefined,
  log: Log,
): Promise<ClientPrivacy | undefined> {
  return openClientPrivacy({ mode: config.clientPrivacy, keyPath, log });
}

interface IngestParts {
  writer: CallWriter;
  privacy: ClientPrivacy | undefined;
  knownRoutes: KnownRoutes;
  arrivals: ArrivalRecorder;
  internalCalls: InternalCallRecorder;
}

function openIngest(
  config: Config,
  { writer, privacy, knownRoutes, arrivals, internalCalls }: IngestParts,
  log: Log,
): Parts {
  const dictionary = privacy ? new PrivateDictionary(privacy) : new CallDictionary();
  const metrics = new CollectorMetrics(config.auth === 'off');
  const extraction = { config, now: Date.now };
  const sameSpanLog = new LogThrottle();
  const extractor = new Extractor({ ...extraction, dictionary, privacy, knownRoutes });
  const ingest = new Ingest({
    writer,
    extractor,
    dictionary,
    metrics,
    arrivals,
    internalCalls,
    onState: (error) => {
      if (error) log.error(`${error.message}; senders are asked to try again`);
      else log.info('the store commits again');
    },
    onClockAhead: ({ service, instance, aheadS }) =>
      log.warn(
        { service, instance },
        `spans end ${aheadS} s in the future: this instance's clock is ahead of ours`,
      ),
    onSameSpan: (service) => {
      if (!sameSpanLog.due(service, 'same span')) return;
      log.warn(
        { service },
        'spans arrive twice and are counted once: look for two span processors or exporters, or a Collector pipeline that copies spans',
      );
    },
  });
  const largeMessages = new LargeMessages(ingest, extraction);
  return { ingest, metrics, largeJson: new LargeJson(), largeMessages };
}

interface Listeners {
  urls: { otlp_http: string; otlp_grpc: string };
  close(): Promise<void>;
}

async function openListeners(
  config: Config,
  parts: Parts & {
    arrivals: ArrivalRecorder;
    authorizer: Authorizer;
    certificates: Certificates | undefined;
  },
  log: Log,
): Promise<Listeners> {
  const shared = {
    ...parts,
    notices: new LogThrottle(),
    pool: new BufferPool(),
    garbage: new ScavengeAfterChunks(),
    bodyBytesMax: config.maxBodyBytes,
    host: config.host,
    log,
  };
  const { corsOrigins, responseHeaders, grpcConnectionAgeS, otlpHttpPort, otlpGrpcPort } = config;
  const http = await openHttpServer({
    ...shared,
    corsOrigins,
    responseHeaders,
    checkHost: openHostCheck(config),
    port: otlpHttpPort,
  });
  const grpcOptions = { ...shared, port: otlpGrpcPort, connectionAgeS: grpcConnectionAgeS };
  const grpc = await openGrpcServer(grpcOptions).catch(async (error) => {
    await http.close(0);
    throw error;
  });
  return {
    urls: { otlp_http: http.url, otlp_grpc: grpc.url },
    async close() {
      await Promise.all([http.close(limits.shutdownMs), grpc.close(limits.shutdownMs)]);
    },
  };
}

if (import.meta.main) {
  setV8Flags();
  await runService('collector', () => startCollector(readConfig(process.env)));
}

/** A conversion is logged once in so many seconds. */
const conversionLogS = 10;

/** Logs what the store has to say. */
function storeLog(log: Log): (notice: StoreNotice) => void {
  let loggedMs = Number.NEGATIVE_INFINITY;
  return (notice) => {
    if ('damaged' in notice) {
      log.error({ row: notice.damaged }, 'a row of the store is damaged and left out');
    } else if (notice.conversion === undefined) {
      log.info('all raw calls of an older release are converted');
    } else if (performance.now() - loggedMs >= conversionLogS * 1000) {
      loggedMs = performance.now();
      log.info({ ...notice.conversion }, conversionText(notice.conversion));
    }
  };
}
