import { replaceAddresses } from '../../../core/address-text.ts';
import { type CallContext, CallDictionary, type EndpointName } from '../../../core/call.ts';
import { type ClientPrivacy, hidden } from './privacy.ts';

/**
 * The dictionary when addresses are not stored in full. Every dimension value on its way to the store passes
 * through it, so no full address reaches the store.
 */
export class PrivateDictionary extends CallDictionary {
  readonly #privacy: ClientPrivacy;
  /** The replacement of each address that no cache replaced before. */
  readonly #numbers = new Map<string, number>();
  #generation: number;

  constructor(privacy: ClientPrivacy) {
    super();
    this.#privacy = privacy;
    this.#generation = privacy.generation;
  }

  override client(address: string): number {
    if (this.#generation !== this.#privacy.generation) {
      this.#generation = this.#privacy.generation;
      this.#numbers.clear();
    }
    let number = this.#numbers.get(address);
    if (number === undefined) {
      number = super.client(this.#privacy.shown(address));
      this.#numbers.set(address, number);
    }
    return number;
  }

  override origin(origin: CallContext): number {
    return super.origin({
      ...origin,
      consumer: this.#privacy.cleaned(origin.consumer),
      agent: this.#privacy.cleaned(origin.agent),
      errorType: this.#privacy.cleaned(origin.errorType),
    });
  }

  override endpoint(name: EndpointName): number {
    const route = withoutAddresses(name.route);
    if (name.display === undefined) return super.endpoint({ ...name, route });
    return super.endpoint({ ...name, route, display: withoutAddresses(name.display) });
  }

  override text(text: string): string {
    return withoutAddresses(text);
  }

  override get size(): number {
    return super.size + this.#numbers.size;
  }

  override reset(): void {
    super.reset();
    this.#numbers.clear();
  }
}

/** Not hashed: with tomorrow's key the route would be another endpoint. */
function withoutAddresses(route: string): string {
  return replaceAddresses(route, () => hidden);
}
