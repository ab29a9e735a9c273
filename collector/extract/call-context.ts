import type { CallDictionary } from '../../core/call.ts';
import { grown } from '../../core/column.ts';
import { limits } from '../../core/limits.ts';
import { Interner } from '../intern/interner.ts';
import { TripleTable } from '../intern/triple-table.ts';
import { truncatedLength, truncateUtf8 } from '../intern/truncate.ts';
import { valueKind } from '../otlp/attributes.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';
import { textHash } from './resource.ts';
import { slot } from './span-attributes.ts';
import { type Agent, agentOf } from './user-agent.ts';

/**
 * What else is said of a call and repeats (core/call.ts Origin), as the dictionary's number. Each distinct
 * User-Agent is read once; a call that differs from an earlier one only in its numbers makes no string.
 */
export class CallContextCache {
  readonly #dictionary: CallDictionary;
  readonly #consumerSlots: readonly number[];

  readonly #userAgents = new Interner();
  // By number of the User-Agent's text: its agent's.
  #agentOfText = new Int32Array(128);
  readonly #agents: Agent[] = [{ product: '', bot: false }];
  readonly #agentNumbers = new Map<string, number>();

  readonly #consumers = new Interner();
  readonly #errors = new Interner();
  // (consumer, error) to one number, and (resource, agent, that number) to the origin.
  readonly #who = new TripleTable();
  readonly #origins = new TripleTable();
  // By the dictionary's number of an origin: the hash of its consumer's name.
  #consumerHashes = new Int32Array(128);

  /** @param consumerSlots of the attributes that name the consumer, the first one present wins */
  constructor(dictionary: CallDictionary, consumerSlots: readonly number[]) {
    this.#dictionary = dictionary;
    this.#consumerSlots = consumerSlots;
  }

  /** Cached texts, as a share of `limits.internedStrings`. */
  get weight(): number {
    const words = this.#userAgents.weight + this.#consumers.weight + this.#errors.weight;
    return words + this.#agentNumbers.size + this.#who.size + this.#origins.size;
  }

  clear(): void {
    this.#forgetUserAgents();
    this.#agents.length = 1;
    this.#agentNumbers.clear();
    this.#consumers.clear();
    this.#errors.clear();
    this.#who.clear();
    this.#origins.clear();
  }

  originOf(
    walk: TracesReader,
    resource: { number: number; version: string },
    status: number,
  ): number {
    // An agent's number has its bot flag as the lowest bit.
    let agent = this.#agentOf(walk);
    if (walk.attributes.kind(slot.synthetic) !== valueKind.none) agent |= 1;
    const consumer = this.#consumerSlots.length === 0 ? 0 : this.#consumerOf(walk);
    const error = status < 400 ? 0 : this.#errorOf(walk, status);
    const who = consumer === 0 && error === 0 ? 0 : this.#numberOf(consumer, error);
    const known = this.#origins.get(resource.number, agent, who);
    if (known !== 0) return known;
    const { product } = this.#agents[agent >> 1]!;
    const consumerName =
      consumer === 0 ? product : truncateUtf8(this.#consumers.text(consumer), limits.consumerBytes);
    const origin = this.#dictionary.origin({
      serviceVersion: resource.version,
      consumer: consumerName,
      agent: product,
      bot: (agent & 1) === 1,
      errorType: truncateUtf8(this.#errors.text(error), limits.errorTypeBytes),
    });
    this.#origins.set(resource.number, agent, who, origin);
    if (origin >= this.#consumerHashes.length) {
      this.#consumerHashes = grown(this.#consumerHashes, 2 * origin);
    }
    this.#consumerHashes[origin] = textHash(consumerName);
    return origin;
  }

  /** `textHash` of the consumer's name. @param origin of `originOf` */
  consumerHash(origin: number): number {
    return this.#consumerHashes[origin]!;
  }

  #numberOf(consumer: number, error: number): number {
    let number = this.#who.get(consumer, error, 0);
    if (number === 0) {
      number = this.#who.size + 1;
      this.#who.set(consumer, error, 0, number);
    }
    return number;
  }

  /** Twice the agent's place, plus one for a bot. */
  #agentOf(walk: TracesReader): number {
    const { attributes, cursor } = walk;
    const place = attributes.firstString(userAgentSlots);
    if (place < 0) return 0;
    const start = attributes.start(place);
    const length = truncatedLength(
      cursor.bytes,
      start,
      attributes.end(place) - start,
      limits.userAgentBytes,
    );
    const text = this.#userAgents.intern(cursor.bytes, cursor.view, start, length);
    if (text >= this.#agentOfText.length)
      this.#agentOfText = grown(this.#agentOfText, 2 * this.#agentOfText.length);
    const known = this.#agentOfText[text]!;
    if (known !== 0) return known - 1;
    const agent = this.#agentNumber(agentOf(this.#userAgents.text(text)));
    this.#agentOfText[text] = agent + 1;
    // Products are few, texts are not: a sender of random ones must not fill the memory.
    if (this.#userAgents.bytes > userAgentBytesMax) this.#forgetUserAgents();
    return agent;
  }

  #agentNumber(agent: Agent): number {
    const product = truncateUtf8(agent.product, limits.userAgentBytes);
    let place = this.#agentNumbers.get(product);
    if (place === undefined) {
      place = this.#agents.push({ product, bot: agent.bot }) - 1;
      this.#agentNumbers.set(product, place);
    }
    return place * 2 + (agent.bot ? 1 : 0);
  }

  #forgetUserAgents(): void {
    this.#userAgents.clear();
    this.#agentOfText = new Int32Array(128);
  }

  #consumerOf(walk: TracesReader): number {
    const { attributes, cursor } = walk;
    for (let i = 0; i < this.#consumerSlots.length; i += 1) {
      const place = this.#consumerSlots[i]!;
      const kind = attributes.kind(place);
      if (kind === valueKind.none) continue;
      if (kind === valueKind.string) {
        const start = attributes.start(place);
        const length = attributes.end(place) - start;
        const kept = truncatedLength(cursor.bytes, start, length, limits.consumerBytes);
        return this.#consumers.intern(cursor.bytes, cursor.view, start, kept);
      }
      // A number, or a header, which is an array.
      const text = attributes.text(place) || (attributes.texts(place)[0] ?? '');
      if (text !== '') return this.#consumers.internText(truncateUtf8(text, limits.consumerBytes));
    }
    return 0;
  }

  /** `error.type`, the exception's type, or a status of 500 and more as text. */
  #errorOf(walk: TracesReader, status: number): number {
    const { attributes, cursor } = walk;
    if (attributes.kind(slot.errorType) === valueKind.string) {
      const start = attributes.start(slot.errorType);
      const length = attributes.end(slot.errorType) - start;
      const kept = truncatedLength(cursor.bytes, start, length, limits.errorTypeBytes);
      return this.#errors.intern(cursor.bytes, cursor.view, start, kept);
    }
    const type =
      attributes.text(slot.errorType) ||
      walk.exceptionType() ||
      (status >= 500 ? String(status) : '');
    return type === '' ? 0 : this.#errors.internText(truncateUtf8(type, limits.errorTypeBytes));
  }
}

const userAgentSlots = [slot.userAgent, slot.oldUserAgent, slot.otherUserAgent];

const userAgentBytesMax = 4 * 1024 * 1024;
