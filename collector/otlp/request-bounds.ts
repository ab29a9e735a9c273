import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';

/**
 * Counts what a request is made of. Empty messages of two bytes compress a thousandfold and cost as much as
 * full ones: without bounds on their number 65 KB of gzip cost 52 s.
 */
export class RequestBounds {
  #envelopes = 0;
  #spans = 0;
  #fields = 0;

  begin(): void {
    this.#envelopes = 0;
    this.#spans = 0;
    this.#fields = 0;
  }

  /** @throws AppError `too_large` */
  envelope(): void {
    this.#envelopes += 1;
    if (this.#envelopes > limits.envelopes) {
      throw tooMany('the request', 'ResourceSpans and ScopeSpans', limits.envelopes);
    }
  }

  /** A field of the request, of a ResourceSpans or a ScopeSpans, known or not. @throws AppError `too_large` */
  field(): void {
    this.#fields += 1;
    if (this.#fields > limits.requestFields) {
      throw tooMany('the request', 'fields around its spans', limits.requestFields);
    }
  }

  /** How many spans the request may still hold. */
  get spansLeft(): number {
    return limits.requestSpans - this.#spans;
  }

  /** @param count of one ScopeSpans: counted there, since a call for each span costs 2 % of the walk
   *  @throws AppError `too_large` */
  spans(count: number): void {
    this.#spans += count;
    if (this.#spans > limits.requestSpans)
      throw tooMany('the request', 'spans', limits.requestSpans);
  }
}

/** @throws AppError `too_large` for an element of a request that holds more parts than any real one */
export function tooMany(whole: string, parts: string, most: number): AppError {
  return new AppError('too_large', `${whole} has more than ${most} ${parts}, the bound`);
}
