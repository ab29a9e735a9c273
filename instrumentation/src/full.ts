import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { appPackage } from './app-package.ts';
import { messageOf } from './guard.ts';
import {
  destinationOf,
  type Environment,
  logToStandardError,
  type RollcallOptions,
} from './settings.ts';

/** NodeSDK: the parts used here. */
interface Sdk {
  start(): void;
  shutdown(): Promise<void>;
}

type SdkModule = { NodeSDK: new (options: object) => Sdk };
type InstrumentationsModule = { getNodeAutoInstrumentations(): unknown[] };

/**
 * ROLLCALL_LEAN=off: OpenTelemetry's sdk-node with all of auto-instrumentations-node, exporting to Rollcall:
 * all kinds of spans, with context propagation. The app installs both packages. They read OTEL_* themselves; variables
 * that are not set are set here first.
 * @returns undefined when they are not installed, after a log line
 */
export function startFull(options: RollcallOptions, env: NodeJS.ProcessEnv): Sdk | undefined {
  const log = options.log ?? logToStandardError;
  const requireOf = createRequire(process.argv[1] ?? join(process.cwd(), 'app.js'));
  const load = <T>(name: string): T => {
    try {
      return requireOf(name) as T;
    } catch (error) {
      if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error;
      return require(name) as T;
    }
  };
  try {
    setUnsaid(options, env);
    const { NodeSDK } = load<SdkModule>('@opentelemetry/sdk-node');
    const { getNodeAutoInstrumentations } = load<InstrumentationsModule>(
      '@opentelemetry/auto-instrumentations-node',
    );
    hookModules(requireOf);
    const sdk = new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] });
    sdk.start();
    return sdk;
  } catch (error) {
    const isMissing = (error as { code?: string }).code === 'MODULE_NOT_FOUND';
    log(
      isMissing
        ? 'ROLLCALL_LEAN=off needs two more packages: npm install @opentelemetry/sdk-node @opentelemetry/auto-instrumentations-node; nothing is measured'
        : `OpenTelemetry did not start, the service is not affected: ${messageOf(error)}`,
    );
    return undefined;
  }
}

function setUnsaid(options: RollcallOptions, env: NodeJS.ProcessEnv): void {
  const { url, headers } = destinationOf(options, env as Environment);
  if (url !== undefined) env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = url;
  if (headers?.Authorization !== undefined) {
    env.OTEL_EXPORTER_OTLP_TRACES_HEADERS = `Authorization=${encodeURIComponent(headers.Authorization)}`;
  }
  const app = appPackage(process.argv[1], process.cwd());
  const attributes = env.OTEL_RESOURCE_ATTRIBUTES ?? '';
  const name = options.serviceName ?? (/\bservice\.name=/.test(attributes) ? undefined : app.name);
  const version = options.serviceVersion ?? app.version;
  if (options.serviceName !== undefined) env.OTEL_SERVICE_NAME = options.serviceName;
  else if (name !== undefined) env.OTEL_SERVICE_NAME ??= name;
  if (version !== undefined && !/\bservice\.version=/.test(attributes)) {
    const own = `service.version=${encodeURIComponent(version)}`;
    env.OTEL_RESOURCE_ATTRIBUTES = attributes === '' ? own : `${attributes},${own}`;
  }
  // Rollcall keeps no metrics and no logs.
  env.OTEL_METRICS_EXPORTER ??= 'none';
  env.OTEL_LOGS_EXPORTER ??= 'none';
}

/** Instrumentations patch ES modules through OpenTelemetry's own loader hook. */
function hookModules(requireOf: NodeJS.Require): void {
  const { register } = require('node:module') as typeof import('node:module');
  const anchor = requireOf.resolve('@opentelemetry/sdk-node');
  const hook = createRequire(anchor).resolve('@opentelemetry/instrumentation/hook.mjs');
  register(pathToFileURL(hook).href);
}
