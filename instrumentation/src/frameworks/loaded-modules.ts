import Module from 'node:module';

/** Node's loader of CommonJS, as far as it is used here. */
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
 * Calls back with what every CommonJS module exports whose specifier or file matches: those that are loaded
 * already at once, others as they are loaded. An `import` of a CommonJS package comes through the same loader.
 * The same exports may come several times. Nothing in a name is proof (aliases, bundles, other packages' files of
 * that name), so the callback looks at what the exports can do.
 *
 * Costs one regular expression for each `require` of the process; ES modules and bundles are not seen.
 */
export function whenLoaded(name: RegExp, loaded: (exports: unknown) => void): void {
  interests.push({ name, loaded });
  for (const [file, module] of Object.entries(loader._cache)) {
    if (module?.loaded === true && name.test(file)) harmless(() => loaded(module.exports));
  }
  if (isListening) return;
  isListening = true;
  const load = loader._load;
  // The loader is private to Node: whatever arguments it takes one day, they are passed on.
  loader._load = function (...args) {
    const exports = load.apply(this, args);
    for (const interest of interests) {
      if (interest.name.test(args[0])) harmless(() => interest.loaded(exports));
    }
    return exports;
  };
}

/** Runs what looks at somebody else's objects: a framework that looks different one day is not read, no more. */
export function harmless<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const wrapped = new WeakSet<object>();

/**
 * Puts a function around a method, once however often it is asked for.
 * @param around gets the method and must call it with everything it was given
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
