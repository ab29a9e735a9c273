import { AppError } from '../../core/error.ts';

/**
 * The bytes of all bodies in memory. A body holds a share from before its first byte is read until it is
 * decoded; a share grows with a body whose length was not told. What does not fit is refused, never queued.
 */
export class ByteBudget {
  readonly #bytesMost: number;
  #bytes = 0;
  #shares = 0;
  /** The one share that may grow past the bound, so that two large bodies cannot refuse each other for ever. */
  #overdrawn: Share | undefined;

  constructor(bytesMost: number) {
    this.#bytesMost = bytesMost;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A body alone is always admitted, whatever its size. @throws AppError `overloaded` */
  admit(bytes: number): Share {
    if (this.#shares > 0 && this.#bytes + bytes > this.#bytesMost) throw this.#full(bytes);
    this.#bytes += bytes;
    this.#shares += 1;
    let held = bytes;
    let open = true;
    const share: Share = {
      grow: (to) => {
        if (to <= held || !open) return;
        if (this.#bytes + to - held > this.#bytesMost) {
          this.#overdrawn ??= share;
          if (this.#overdrawn !== share) throw this.#full(to);
        }
        this.#bytes += to - held;
        held = to;
      },
      release: () => {
        if (!open) return;
        open = false;
        this.#bytes -= held;
        this.#shares -= 1;
        if (this.#overdrawn === share) this.#overdrawn = undefined;
      },
    };
    return share;
  }

  #full(bytes: number): AppError {
    return new AppError(
      'overloaded',
      `${this.#bytes} bytes of bodies are in flight; ${bytes} more pass the bound of ${this.#bytesMost}`,
    );
  }
}

export interface Share {
  /** Makes the share at least so many bytes. @throws AppError `overloaded` */
  grow(toBytes: number): void;
  /** Gives the bytes back; a second time does nothing. */
  release(): void;
}
