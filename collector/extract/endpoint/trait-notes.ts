import type { CallBatch, CallDictionary } from '../../../core/call.ts';
import { grown } from '../../../core/column.ts';
import {
  type EndpointNote,
  type EndpointTraits,
  isHeaderKept,
} from '../../../core/endpoint-traits.ts';
import { limits } from '../../../core/limits.ts';
import { dayS } from '../../../core/window.ts';
import { finish, hashBytes, mix } from '../../intern/hash.ts';
import { truncateUtf8 } from '../../intern/truncate.ts';
import { type AttributeSlots, valueKind } from '../../otlp/attributes.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import type { Resource } from '../resource.ts';
import { slot } from '../span-attributes.ts';

/**
 * Takes traits of endpoints (core/endpoint-traits.ts) from spans that have some. The same traits are noted once a day
 * of an endpoint, and other ones at most four times a minute: a span whose traits are known costs a hash of their bytes.
 */
export class TraitNotes {
  readonly #dictionary: CallDictionary;
  // By endpoint number: hash of the traits noted last, the minute, and how many notes it had in this minute.
  #hash = new Int32Array(1024);
  #minute = new Int32Array(1024);
  #count = new Uint8Array(1024);
  /** Of the message in hand. */
  #notes: EndpointNote[] = [];

  constructor(dictionary: CallDictionary) {
    this.#dictionary = dictionary;
  }

  /** A message begins. */
  begin(): void {
    if (this.#notes.length > 0) this.#notes = [];
  }

  /**
   * A call of the endpoint was taken from the walker's span.
   * @param isByPath its route is the inventory's, which took its path @param nowS of the message's arrival
   */
  take(
    walk: TracesReader,
    resource: Resource,
    endpoint: number,
    isByPath: boolean,
    endS: number,
    nowS: number,
  ): void {
    const { attributes } = walk;
    const today = Math.floor(nowS / dayS);
    const hash = hashOf(walk, resource, isByPath, today);
    if (endpoint >= this.#hash.length) this.#grow(endpoint);
    if (this.#hash[endpoint] === hash) return;
    const minute = Math.floor(nowS / 60);
    if (this.#minute[endpoint] !== minute) {
      this.#minute[endpoint] = minute;
      this.#count[endpoint] = 0;
    } else if (this.#count[endpoint]! >= limits.traitNotesPerMinute) return;
    this.#count[endpoint]! += 1;
    this.#hash[endpoint] = hash;
    const traits = traitsOf(attributes, resource, endS, (text) => this.#dictionary.text(text));
    if (isByPath) traits.byPathDay = Math.floor(endS / dayS);
    this.#notes.push({ endpoint, traits });
  }

  /** The message in hand is read again, or was refused. */
  takeBack(): void {
    for (const { endpoint } of this.#notes) this.#hash[endpoint] = 0;
    this.#notes = [];
  }

  /** The message in hand was taken. */
  finish(batch: CallBatch): void {
    if (this.#notes.length > 0) batch.notes.push(...this.#notes);
  }

  /** Endpoint numbers begin anew, or a batch was not committed. */
  clear(): void {
    this.#hash.fill(0);
    this.#count.fill(0);
    this.#notes = [];
  }

  #grow(endpoint: number): void {
    const length = Math.max(endpoint + 1, this.#hash.length * 2);
    this.#hash = grown(this.#hash, length);
    this.#minute = grown(this.#minute, length);
    this.#count = grown(this.#count, length);
  }
}

const headerSlots = [slot.deprecation, slot.sunset];
const codeSlots = [
  slot.codeFunction,
  slot.codeFile,
  slot.codeLine,
  slot.oldCodeFunction,
  slot.oldCodeNamespace,
  slot.oldCodeFile,
  slot.oldCodeLine,
];

/** Never 0, which stands for nothing noted. */
function hashOf(
  { attributes, cursor }: TracesReader,
  resource: Resource,
  isByPath: boolean,
  today: number,
): number {
  let hash = mix(resource.traitsHash, today * 2 + (isByPath ? 1 : 0));
  const add = (place: number) => {
    if (attributes.kind(place) === valueKind.none) return false;
    const start = attributes.start(place);
    hash = mix(mix(hash, place), hashBytes(cursor.view, start, attributes.end(place) - start));
    return true;
  };
  let isAnnounced = false;
  for (const place of headerSlots) if (add(place)) isAnnounced = true;
  // Links of pages differ from answer to answer.
  if (isAnnounced) add(slot.link);
  for (const place of codeSlots) add(place);
  return finish(hash) || 1;
}

/** @param clean gives each text as it may be stored */
function traitsOf(
  attributes: AttributeSlots,
  resource: Resource,
  endS: number,
  clean: (text: string) => string,
): EndpointTraits {
  const lastDay = Math.floor(endS / dayS);
  const traits: EndpointTraits = {};
  const [deprecation, sunset] = headerSlots.map((place) => clean(headerOf(attributes, place)));
  if (deprecation || sunset) {
    const link = clean(headerOf(attributes, slot.link));
    const headers = { deprecation: deprecation ?? '', sunset: sunset ?? '', link };
    traits.announcement = { ...headers, firstMs: endS * 1000, lastDay };
  }
  const code = codeOf(attributes);
  if (code !== undefined) {
    const { function: name, file, line } = code;
    traits.code = { function: clean(name), file: clean(file), line, lastDay };
  }
  if (resource.owner !== '') traits.owner = { name: clean(resource.owner), lastDay };
  if (resource.reportsHeaders) traits.reportingDay = lastDay;
  return traits;
}

/** A header's text; '' without one. Several headers of one name are one with commas (RFC 9110, section 5.3). */
function headerOf(attributes: AttributeSlots, place: number): string {
  const text = attributes.texts(place).join(', ').trim();
  return isHeaderKept(text) ? truncateUtf8(text, limits.announcementChars) : '';
}

/** `code.function.name` is qualified; the older `code.function` was not, its `code.namespace` stood apart. */
function codeOf(attributes: AttributeSlots) {
  const text = (place: number) => truncateUtf8(attributes.text(place), limits.codeTextBytes);
  const oldName = [text(slot.oldCodeNamespace), text(slot.oldCodeFunction)].filter(Boolean);
  const name = text(slot.codeFunction) || oldName.join('.');
  const file = text(slot.codeFile) || text(slot.oldCodeFile);
  if (name === '' && file === '') return undefined;
  const line = attributes.number(slot.codeLine) || attributes.number(slot.oldCodeLine);
  const isLine = Number.isSafeInteger(line) && line > 0;
  return { function: name, file, line: isLine ? line : 0 };
}
