import { defaultProject } from '../core/auth/authorizer.ts';
import { openTenancy, type Tenancy, warnWithoutKeys } from '../core/auth/tenancy.ts';
import { type Config, readConfig } from '../core/config/config.ts';
import { analyzerMemory } from '../core/config/memory.ts';
import { durationText } from '../core/config/values.ts';
import { asAppError } from '../core/error.ts';
import { limits } from '../core/limits.ts';
import { type Log, openLog } from '../core/log.ts';
import { lowerEngineThreads, lowerThisThread, niceness } from '../core/priority.ts';
import { runService } from '../core/process.ts';
import { openCertificates } from '../core/server/certificates.ts';
import { boundConnections, boundPipelining, boundUnread } from '../core/server/connections.ts';
import { openHostCheck } from '../core/server/host-check.ts';
import { addressOf, listen } from '../core/server/listen.ts';
import { createWebServer, type WebServer } from '../core/server/web-server.ts';
import { storePlace } from '../core/store/engine.ts';
import { version } from '../core/version.ts';
import { openDashboard } from './api/dashboard.ts';
import { analyzerApp } from './api/server.ts';
import { readOwners } from './inventory/owners.ts';
import type { Answerer } from './queue/answerer.ts';
import { ThreadedAnswerer } from './queue/threaded-answerer.ts';
import { takeDailySnapshots } from './verdict/daily.ts';

/** The analyzer: calls in the store, answers out of the REST API. */
export interface Analyzer {
  /** With the port that was really taken. */
  url: string;
  /** As of its answering thread. */
  readonly lost: Answerer['lost'];
  /** Takes no new requests, answers those under way, gives the store free. */
  close(): Promise<void>;
}

/** Answers under way at the end get this long; reports take far less. */
const drainMs = 5000;

/**
 * @throws AppError `conflict` when the port is taken, `invalid` when the store is of a newer version or the file of
 *   owners is wrong
 */
export async function startAnalyzer(
  config: Config,
  log: Log = openLog('analyzer', config.logLevel),
): Promise<Analyzer> {
  const place = storePlace(config.store);
  const ownerRules = config.ownersPath === undefined ? [] : await readOwners(config.ownersPath);
  const { coldAfterDays, deadAfterDays, traceUrl } = config;
  const options = {
    thresholds: { coldAfterDays, deadAfterDays },
    clientsAreHashed: config.clientPrivacy === 'hash',
    traceUrl,
    ownerRules,
  };
  const answerer = new ThreadedAnswerer(config.store, options, config.memoryBytes);
  try {
    await answerer.check();
  } catch (thrown) {
    const error = asAppError(thrown);
    if (error.code !== 'unavailable') {
      await answerer.close();
      throw error;
    }
    log.warn({ store: place.name }, `${error.message}; trying again at every request`);
  }
  const tenancy = openTenancy(config);
  return serve(config, { answerer, tenancy }, log).catch(async (error: unknown) => {
    await tenancy.close();
    await answerer.close();
    throw error;
  });
}

async function serve(
  config: Config,
  parts: { answerer: Answerer; tenancy: Tenancy },
  log: Log,
): Promise<Analyzer> {
  const { answerer, tenancy } = parts;
  const app = analyzerApp({
    ...parts,
    basePath: config.basePath,
    memoryBytes: config.memoryBytes,
    trustedProxies: config.trustedProxies,
    checkHost: openHostCheck(config),
    log,
    version,
    dashboard: openDashboard(),
    page: pageFacts(config),
    now: Date.now,
  });
  const certificates = config.tls && (await openCertificates(config.tls, log));
  const tls = certificates && { certificates, clients: 'anyone' as const };
  const web = createWebServer({ timeouts: limits, tls });
  boundConnections(web.server);
  const answered = boundUnread((request, response) => {
    for (const [name, value] of config.responseHeaders) response.setHeader(name, value);
    app(request, response);
  }, analyzerMemory(config.memoryBytes).unreadAnswerBytes);
  const handle = boundPipelining(answered);
  web.server.on('request', handle);
  await listen(web.server, {
    host: config.host,
    port: config.analyzerPort,
    serves: 'the REST API',
    variable: 'ROLLCALL_ANALYZER_PORT',
  });
  const url = `${web.scheme}://${addressOf(web.server)}`;
  // Printed at every log level, as the collector's.
  const level = config.logLevel === 'silent' ? 'silent' : 'info';
  log.child({}, { level }).info({ analyzer: url }, 'listening');
  await warnWithoutKeys(tenancy, config, log);
  const projects = async (): Promise<string[]> => {
    if (config.auth === 'off') return [defaultProject];
    return (await (await tenancy.keys()).projects()).map(({ name }) => name);
  };
  const endSnapshots = takeDailySnapshots(answerer, projects, log, Date.now);
  return {
    url,
    lost: answerer.lost,
    async close() {
      endSnapshots();
      certificates?.close();
      await drain(web);
      await tenancy.close();
      await answerer.close();
    },
  };
}

/** What the dashboard shows of the configuration. */
function pageFacts(config: Config) {
  const { auth, tls, otlpHttpPort, otlpGrpcPort, retention } = config;
  return {
    auth,
    collector: {
      scheme: tls ? ('https' as const) : ('http' as const),
      http_port: otlpHttpPort || null,
      grpc_port: otlpGrpcPort || null,
    },
    settings: {
      cold_after_days: config.coldAfterDays,
      dead_after_days: config.deadAfterDays,
      retention: {
        calls: durationText(retention.callsS),
        minutes: durationText(retention.minutesS),
        hours: durationText(retention.hoursS),
        days: durationText(retention.daysS),
      },
      client_privacy: config.clientPrivacy,
      consumer_attributes: config.consumerAttributes,
    },
  };
}

function drain({ server, closeAllConnections }: WebServer): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(closeAllConnections, drainMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

if (import.meta.main) {
  await runService('analyzer', async () => {
    const analyzer = await startAnalyzer(readConfig(process.env));
    // Not before: a start on a busy machine is to end.
    lowerThisThread(niceness.probes);
    lowerEngineThreads(niceness.probes);
    return analyzer;
  });
}
