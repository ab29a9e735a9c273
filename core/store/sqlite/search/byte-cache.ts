/** Values that are read again and again, up to a number of bytes; the one that was used longest ago goes first. */
export class ByteCache<Value> {
  readonly #bytesMost: number;
  readonly #values = new Map<number, { value: Value; bytes: number }>();
  #bytes = 0;

  constructor(bytesMost: number) {
    this.#bytesMost = bytesMost;
  }

  get(key: number): Value | undefined {
    const found = this.#values.get(key);
    if (found === undefined) return undefined;
    // A Map keeps the order of insertion: the value used last is its last.
    this.#values.delete(key);
    this.#values.set(key, found);
    return found.value;
  }

  set(key: number, value: Value, bytes: number): void {
    this.#values.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [old, entry] of this.#values) {
      if (this.#bytes <= this.#bytesMost) return;
      this.#values.delete(old);
      this.#bytes -= entry.bytes;
    }
  }

  clear(): void {
    this.#values.clear();
    this.#bytes = 0;
  }
}
