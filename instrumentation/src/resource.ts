import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Resource } from '@opentelemetry/resources';
import { appPackage } from './app-package.ts';
import { type Environment, nonEmpty, type RollcallOptions } from './settings.ts';
import { packageVersion } from './version.ts';

/**
 * The resource of this process's spans. The service's name comes from the options, else OTEL_SERVICE_NAME, else
 * OTEL_RESOURCE_ATTRIBUTES, else the app's package.json.
 */
export function resourceOf(options: RollcallOptions, env: Environment): Resource {
  const sdk = require('@opentelemetry/resources') as typeof import('@opentelemetry/resources');
  const app = appPackage(process.argv[1], process.cwd());
  const own = {
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'telemetry.distro.name': '@rollcall/instrumentation',
    'telemetry.distro.version': packageVersion,
    ...(app.name === undefined ? {} : { 'service.name': app.name }),
    ...(app.version === undefined ? {} : { 'service.version': app.version }),
  };
  const name = options.serviceName ?? nonEmpty(env.OTEL_SERVICE_NAME);
  const version = options.serviceVersion;
  return sdk
    .defaultResource()
    .merge(sdk.resourceFromAttributes(own))
    .merge(sdk.detectResources({ detectors: [sdk.envDetector] }))
    .merge(
      sdk.resourceFromAttributes({
        ...(name === undefined ? {} : { 'service.name': name }),
        ...(version === undefined ? {} : { 'service.version': version }),
      }),
    );
}
