import { limits } from '../../core/limits.ts';
import { finish, mix } from '../intern/hash.ts';
import { bytesPerWord } from '../intern/interner.ts';
import { truncateUtf8 } from '../intern/truncate.ts';
import type { AttributeSlots, WantedKey } from '../otlp/attributes.ts';

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
  /** Who answers for its endpoints; '' when the resource does not say. */
  owner: string;
  /** Its instrumentation reports the headers by which answers announce the end of an endpoint. */
  reportsHeaders: boolean;
  /** Of the two above; 0 when there is nothing to note of its endpoints. */
  traitsHash: number;
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
  { key: 'telemetry.distro.name' },
];

/** The keys to want of a resource, and the slots of the attributes that may name its owner. */
export function wantedOfResource(ownerAttributes: readonly string[]): {
  keys: WantedKey[];
  ownerSlots: number[];
} {
  const keys: WantedKey[] = [...resourceKeys];
  const ownerSlots = ownerAttributes.map((key) => {
    const known = keys.findIndex((wanted) => wanted.key === key);
    return known >= 0 ? known : keys.push({ key }) - 1;
  });
  return { keys, ownerSlots };
}

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
  return textHash(`${project}\0${service}\0${environment}`);
}

export function textHash(text: string): number {
  let hash = text.length;
  for (let at = 0; at < text.length; at += 1) hash = mix(hash, text.charCodeAt(at));
  return finish(hash);
}

/** As the service is called in the store. Not cached. @param attributes whose slots are the places of `resourceKeys` */
export function serviceNameOf(attributes: AttributeSlots): string {
  return textOf(attributes, serviceSlots, limits.serviceNameBytes) || unknownService;
}

const unknownService = 'unknown_service';

/** All instances of a service are one resource: what differs between them is not kept. */
export class ResourceCache {
  readonly #resources = new Map<string, Resource>();
  readonly #samplingFactors: ReadonlyMap<string, number>;
  readonly #ownerSlots: readonly number[];
  #weight = 0;

  /** @param samplingFactors by `service.name` @param ownerSlots of `wantedOfResource` */
  constructor(samplingFactors: ReadonlyMap<string, number>, ownerSlots: readonly number[]) {
    this.#samplingFactors = samplingFactors;
    this.#ownerSlots = ownerSlots;
  }

  /** Cached resources, as a share of `limits.internedStrings`. */
  get weight(): number {
    return this.#weight;
  }

  clear(): void {
    this.#resources.clear();
    this.#weight = 0;
  }

  /** @param attributes whose slots are the places of the keys of `wantedOfResource` */
  resourceOf(project: string, attributes: AttributeSlots): Resource {
    const service = textOf(attributes, serviceSlots, limits.serviceNameBytes);
    const environment = textOf(attributes, environmentSlots, limits.environmentBytes);
    const version = textOf(attributes, versionSlots, limits.versionBytes);
    const owner = textOf(attributes, this.#ownerSlots, limits.ownerChars);
    const distro = attributes.text(distroSlot);
    const key = `${project}\0${service}\0${environment}\0${version}\0${owner}\0${distro}`;
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const reportsHeaders = distro === '@rollcall/instrumentation';
      const known = service === '' ? unknownService : service;
      resource = {
        number: this.#resources.size + 1,
        project,
        service: known,
        environment,
        version,
        samplingFactor: this.#samplingFactors.get(known) ?? 1,
        owner,
        reportsHeaders,
        traitsHash: owner !== '' || reportsHeaders ? textHash(`${owner}\0${distro}`) : 0,
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
const distroSlot = 8;

function textOf(attributes: AttributeSlots, slots: readonly number[], bytesMax: number): string {
  for (const place of slots) {
    const text = attributes.text(place);
    if (text !== '') return truncateUtf8(text, bytesMax);
  }
  return '';
}
