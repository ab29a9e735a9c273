import { isCatchAll } from './frameworks/declared-methods.ts';
import type { DeclaredRoute } from './frameworks/framework.ts';
import { limits } from './limits.ts';

/** The name of the span that declares a service's routes; it is INTERNAL. */
export const inventorySpanName = 'rollcall.inventory';

/**
 * The attributes of one span of an inventory. One that is too long for a span comes in several, all of one trace:
 * `part` counts from 1 to `parts`. Both, and `omitted`, are only there where they say something.
 */
export interface InventoryPart {
  /** `METHOD /route` each, in the framework's spelling, sorted; `*` is any method. */
  'rollcall.routes': string[];
  'rollcall.inventory.part'?: number;
  'rollcall.inventory.parts'?: number;
  /** Routes beyond the bounds, in no part. */
  'rollcall.inventory.omitted'?: number;
}

/**
 * All routes that the app has declared. An inventory replaces the one before, so new routes are sent with all others.
 * The first is sent after 0.5 s; the delay doubles with each, up to 5 minutes, for apps that add routes as they run.
 * The last one is sent again every hour: Rollcall takes it for a sign that this process is alive.
 */
export class Inventory {
  readonly #send: (parts: InventoryPart[]) => void;
  readonly #log: (line: string) => void;
  readonly #routes = new Set<string>();
  readonly #withdrawn = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #delayMs: number = limits.inventoryDelayMs;
  #omitted = 0;

  /** @param send the spans of one inventory; the first is the root of their trace */
  constructor(send: (parts: InventoryPart[]) => void, log: (line: string) => void) {
    this.#send = send;
    this.#log = log;
  }

  declare(routes: readonly DeclaredRoute[]): void {
    const before = this.#routes.size;
    let omitted = 0;
    for (const { method, route } of routes) {
      if (method === '*' && isCatchAll(route)) continue;
      const line = lineOf({ method, route });
      if (this.#routes.has(line) || this.#withdrawn.has(line)) continue;
      const fits =
        line.length <= limits.routeCharacters && this.#routes.size < limits.declaredRoutes;
      if (fits) this.#routes.add(line);
      else omitted += 1;
    }
    this.#omit(omitted);
    if (this.#routes.size > before) this.#later();
  }

  /** Takes routes out for good. */
  withdraw(routes: readonly DeclaredRoute[]): void {
    for (const line of routes.map(lineOf)) {
      if (!this.#routes.delete(line)) continue;
      this.#withdrawn.add(line);
      this.#later();
    }
  }

  /** Sends a list that waits for more routes now. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#delayMs = Math.min(this.#delayMs * 2, limits.inventoryDelayMsMax);
    this.#sendAll();
  }

  #sendAll(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#sendAll(), limits.inventoryAgainMs);
    this.#again.unref();
    this.#send(partsOf([...this.#routes].sort(), this.#omitted));
  }

  #later(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), this.#delayMs);
    this.#timer.unref();
  }

  /** @param count in one declaration. Frameworks declare all routes each time, so the maximum is kept, not the sum. */
  #omit(count: number): void {
    if (count === 0) return;
    if (this.#omitted === 0) {
      this.#log(
        `more than ${limits.declaredRoutes} routes, or one of more than ${limits.routeCharacters} characters: the rest is not declared`,
      );
    }
    this.#omitted = Math.max(this.#omitted, count);
  }
}

function lineOf({ method, route }: DeclaredRoute): string {
  return `${method.toUpperCase()} ${route}`;
}

function partsOf(routes: string[], omitted: number): InventoryPart[] {
  const parts: InventoryPart[] = [];
  const count = Math.ceil(routes.length / limits.inventoryRoutes);
  for (let part = 1; part <= count; part += 1) {
    const from = (part - 1) * limits.inventoryRoutes;
    parts.push({
      'rollcall.routes': routes.slice(from, from + limits.inventoryRoutes),
      ...(count > 1 ? { 'rollcall.inventory.part': part, 'rollcall.inventory.parts': count } : {}),
      ...(omitted > 0 ? { 'rollcall.inventory.omitted': omitted } : {}),
    });
  }
  return parts;
}
