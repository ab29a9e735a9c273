/** Where progress is shown: standard error, of a terminal or not. */
export interface ProgressPlace {
  write(text: string): unknown;
  isTTY?: boolean;
}

const barWidth = 30;
/** A terminal's bar is drawn again after so long. */
const redrawMs = 100;

/**
 * Shows how far work is: a bar on a terminal, and elsewhere a line for each tenth, so that a log stays short.
 * @param now milliseconds of a clock that never steps
 */
export class Progress {
  readonly #out: ProgressPlace;
  readonly #now: () => number;
  readonly #startMs: number;
  #shownTenth = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;
  /** What of the work was done before: it took no time now. */
  #before: number | undefined;

  constructor(out: ProgressPlace, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
    this.#startMs = now();
  }

  show(done: number, all: number): void {
    this.#before ??= done;
    const share = all === 0 ? 1 : Math.min(1, done / all);
    const text = `${Math.floor(share * 100)} %, ${done} of ${all} rows${this.#left(done, all)}`;
    if (this.#out.isTTY) this.#draw(share, text);
    else if (Math.floor(share * 10) > this.#shownTenth) {
      this.#shownTenth = Math.floor(share * 10);
      this.#out.write(`copied ${text}\n`);
    }
  }

  /** Ends the bar's line. */
  end(): void {
    if (this.#out.isTTY && this.#drawnMs > Number.NEGATIVE_INFINITY) this.#out.write('\n');
  }

  #draw(share: number, text: string): void {
    const nowMs = this.#now();
    if (share < 1 && nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    const filled = Math.round(share * barWidth);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    // ESC [K clears what is left of a longer line.
    this.#out.write(`\r${bar} ${text}\u001b[K`);
  }

  /** The time that the rest takes when it is as fast as what was done in this run. */
  #left(done: number, all: number): string {
    const own = done - (this.#before ?? 0);
    const passedS = (this.#now() - this.#startMs) / 1000;
    if (own <= 0 || passedS < 1 || done >= all) return '';
    return `, ${Math.ceil((passedS * (all - done)) / own)} s left`;
  }
}
