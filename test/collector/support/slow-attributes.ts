import type { DecodedKeyValue, DecodedValue } from './decoder.ts';

/** A span's or a resource's attributes, whole, as the oracle of extraction asks for them; the last of a key counts. */
export class Attributes {
  readonly #values = new Map<string, DecodedValue>();

  constructor(list: readonly DecodedKeyValue[]) {
    for (const { key, value } of list) this.#values.set(key, value ?? {});
  }

  /** Gives a key the value of another one. */
  use(key: string, from: string): void {
    this.#values.set(key, this.#values.get(from)!);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  isSet(key: string): boolean {
    const value = this.#values.get(key);
    return value?.value !== undefined && value.stringValue !== '';
  }

  text(key: string): string {
    const value = this.#values.get(key);
    switch (value?.value) {
      case 'stringValue':
        return value.stringValue!;
      case 'intValue':
        return value.intValue!;
      case 'doubleValue':
        return String(value.doubleValue);
      case 'boolValue':
        return String(value.boolValue);
      default:
        return '';
    }
  }

  texts(key: string): string[] {
    const value = this.#values.get(key);
    if (value?.value === 'stringValue' && value.stringValue !== '') return [value.stringValue!];
    if (value?.value !== 'arrayValue') return [];
    return value.arrayValue!.values.flatMap((item) =>
      item.value === 'stringValue' ? [item.stringValue!] : [],
    );
  }

  firstString(keys: readonly string[]): string {
    for (const key of keys) {
      const value = this.#values.get(key);
      if (value?.value === 'stringValue' && value.stringValue !== '') return value.stringValue!;
    }
    return '';
  }

  firstText(keys: readonly string[]): string {
    return keys.map((key) => this.text(key)).find((text) => text !== '') ?? '';
  }

  number(key: string): number {
    const value = this.#values.get(key);
    if (value?.value === 'doubleValue') return value.doubleValue!;
    const text = value?.value === 'intValue' ? value.intValue! : (value?.stringValue ?? '').trim();
    return text === '' ? Number.NaN : Number(text);
  }
}
