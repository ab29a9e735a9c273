import Module from 'node:module';

/** Node's CommonJS loader: the parts used here. */
interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _cache: Record<string, { exports?: unknown; loaded?: boolean } | undefined>;
}

interface Interest {
  name: RegExp;
  loaded: (exports: unknown) => void;
}

const interests: Interest[] = [];
const loader = Module as unknown as Loader;
let isListening = false;

/**
 * Calls `loaded` with the exports of each CommonJS module whose specifier or file matches `name`: for modules that are
 * already loaded at once, for others when they are. An `import` of a CommonJS package uses the same loader. The same
 * exports may come several times. Another package may have a file of that name, so `loaded` checks the exports.
 *
 * Costs one regular expression match for each `require`. ES modules and bundles are not seen.
 */
export function whenLoaded(name: RegExp, loaded: (exports: unknown) => void): void {
  interests.push({ name, loaded });
  for (const [file, module] of Object.entries(loader._cache)) {
    if (module?.loaded === true && name.test(file)) ignoringErrors(() => loaded(module.exports));
  }
  if (isListening) return;
  isListening = true;
  const load = loader._load;
  // `_load` is not documented: all arguments are passed on.
  loader._load = function (...args) {
    const exports = load.apply(this, args);
    for (const interest of interests) {
      if (interest.name.test(args[0])) ignoringErrors(() => interest.loaded(exports));
    }
    return exports;
  };
}

/** Runs code that reads a framework's internals: after an incompatible release routes are missing, nothing breaks. */
export function ignoringErrors<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const wrapped = new WeakSet<object>();

/**
 * Replaces a method by `around(method)`; a second call for the same method changes nothing.
 * @param around must call the method with all arguments it gets
 */
export function wrapMethod<This extends object>(
  owner: object,
  name: string,
  around: (
    method: (this: This, ...args: unknown[]) => unknown,
  ) => (this: This, ...args: unknown[]) => unknown,
): void {
  const record = owner as Record<string, unknown>;
  const method = record[name];
  if (typeof method !== 'function' || wrapped.has(method)) return;
  const replacement = around(method as (this: This, ...args: unknown[]) => unknown);
  wrapped.add(replacement);
  record[name] = replacement;
}
