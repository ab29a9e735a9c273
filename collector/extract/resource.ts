import { limits } from '../../core/limits.ts';
import { finish, mix } from '../intern/hash.ts';
import { bytesPerWord } from '../intern/interner.ts';
import { truncateUtf8 } from '../intern/truncate.ts';
import type { AttributeSlots } from '../otlp/attributes.ts';

/** The service that spans are of, in one of its versions. */
export interface Resource {
  /** From 1 on: what caches know it by. */
  number: number;
  project: string;
  /** `service.name`, or `unknown_service`. */
  service: string;
  /** '' when the resource names none. */
  environment: string;
  version: string;
  /** The weight of its spans that carry none themselves. */
  samplingFactor: number;
  /** Of project, service and environment: what joining knows a service by (collector/extract/join/joins.ts). */
  serviceHash: number;
}

/** The attributes of a resource that are read. */
export const resourceKeys = [
  { key: 'service.name' },
  { key: 'deployment.environment.name' },
  { key: 'deployment.environment' },
  { key: 'service.version' },
  { key: 'service.instance.id' },
  { key: 'host.name' },
  { key: 'k8s.pod.uid' },
  { key: 'container.id' },
];

/** The resource's service instance; '' when it has none. Not cached. */
export function instanceOf(attributes: AttributeSlots): string {
  return textOf(attributes, instanceSlots, limits.instanceBytes);
}

/** The resource's process; '' when unknown. A host runs many, one after another. */
export function processOf(attributes: AttributeSlots): string {
  return textOf(attributes, processSlots, limits.instanceBytes);
}

/** @param attributes whose slots are the places of `resourceKeys` */
export function serviceHashOf(project: string, attributes: AttributeSlots): number {
  const service = textOf(attributes, serviceSlots, limits.serviceNameBytes);
  const environment = textOf(attributes, environmentSlots, limits.environmentBytes);
  const key = `${project}\0${service}\0${environment}`;
  let hash = key.length;
  for (let at = 0; at < key.length; at += 1) hash = mix(hash, key.charCodeAt(at));
  return finish(hash);
}

/** All instances of a service are one resource: what differs between them is not kept. */
export class ResourceCache {
  readonly #resources = new Map<string, Resource>();
  readonly #samplingFactors: ReadonlyMap<string, number>;
  #weight = 0;

  /** @param samplingFactors by `service.name` */
  constructor(samplingFactors: ReadonlyMap<string, number>) {
    this.#samplingFactors = samplingFactors;
  }

  /** Cached resources, as a share of `limits.internedStrings`. */
  get weight(): number {
    return this.#weight;
  }

  clear(): void {
    this.#resources.clear();
    this.#weight = 0;
  }

  /** @param attributes whose slots are the places of `resourceKeys` */
  resourceOf(project: string, attributes: AttributeSlots): Resource {
    const service = textOf(attributes, serviceSlots, limits.serviceNameBytes);
    const environment = textOf(attributes, environmentSlots, limits.environmentBytes);
    const version = textOf(attributes, versionSlots, limits.versionBytes);
    const key = `${project}\0${service}\0${environment}\0${version}`;
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const known = service === '' ? 'unknown_service' : service;
      resource = {
        number: this.#resources.size + 1,
        project,
        service: known,
        environment,
        version,
        samplingFactor: this.#samplingFactors.get(known) ?? 1,
        serviceHash: serviceHashOf(project, attributes),
      };
      this.#resources.set(key, resource);
      this.#weight += 1 + Math.floor(key.length / bytesPerWord);
    }
    return resource;
  }
}

const serviceSlots = [0];
const environmentSlots = [1, 2];
const versionSlots = [3];
const instanceSlots = [4, 5];
const processSlots = [4, 6, 7];

function textOf(attributes: AttributeSlots, slots: readonly number[], bytesMax: number): string {
  for (const place of slots) {
    const text = attributes.text(place);
    if (text !== '') return truncateUtf8(text, bytesMax);
  }
  return '';
}
