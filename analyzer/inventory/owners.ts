import { readFile } from 'node:fs/promises';
import { AppError } from '../../core/error.ts';
import { type GlobMatcher, globMatcher } from '../../core/glob.ts';
import { limits } from '../../core/limits.ts';
import { canonicalRoute } from '../../core/route/route.ts';
import { endpointShape } from '../../core/store/endpoint-identity.ts';

/**
 * Owners of endpoints from the file that ROLLCALL_OWNERS names. It is written like CODEOWNERS, over routes in place of
 * paths: `[METHOD] [SERVICE:]ROUTE OWNER…`, one rule a line. The last rule that matches gives the owners; a rule
 * without owners says that there is none.
 */
export interface OwnerRule {
  /** Upper case; '' for every method. */
  method: string;
  /** A glob over service names; '' for every service. */
  service: string;
  /** A route, or a glob over canonical routes (core/glob.ts). One that ends in `/` takes everything below it. */
  route: string;
  owners: readonly string[];
}

/** What rules match. */
export interface OwnedEndpoint {
  service: string;
  method: string;
  /** Canonical. */
  route: string;
}

/** @throws AppError `invalid` when the file cannot be read, is too large, or has lines that are no rules: all are named */
export async function readOwners(path: string): Promise<OwnerRule[]> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw invalid(`ROLLCALL_OWNERS=${path} cannot be read: ${error.message}`, error);
  });
  if (bytes.length > limits.ownerFileBytes) {
    throw invalid(
      `ROLLCALL_OWNERS=${path} has ${bytes.length} bytes; at most ${limits.ownerFileBytes} are read`,
    );
  }
  const { rules, mistakes } = parseOwners(bytes.toString('utf8'));
  if (rules.length > limits.ownerRules) {
    mistakes.push(`has ${rules.length} rules; at most ${limits.ownerRules} are allowed`);
  }
  if (mistakes.length === 0) return rules;
  const shown = mistakes.slice(0, mistakesShown);
  if (mistakes.length > shown.length) shown.push(`and ${mistakes.length - shown.length} more`);
  throw invalid([`ROLLCALL_OWNERS=${path}:`, ...shown].join('\n  '));
}

const mistakesShown = 20;

/** @param text `#` begins a comment at the start of a line and after a space */
export function parseOwners(text: string): { rules: OwnerRule[]; mistakes: string[] } {
  const rules: OwnerRule[] = [];
  const mistakes: string[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === '') return;
    const rule = ruleOf(words);
    if (typeof rule === 'string') mistakes.push(`line ${index + 1} ${rule}`);
    else rules.push(rule);
  });
  return { rules, mistakes };
}

/** @returns what is wrong, as a text */
function ruleOf([first = '', ...rest]: string[]): OwnerRule | string {
  const hasMethod = /^[A-Z]+$/.test(first) && first.length <= limits.methodChars;
  const method = hasMethod ? first : '';
  const pattern = hasMethod ? (rest[0] ?? '') : first;
  const owners = hasMethod ? rest.slice(1) : rest;
  const [, service = '', route = ''] = /^(?:([^/*(\s][^\s]*?):)?([/*(]\S*)$/.exec(pattern) ?? [];
  if (route === '') {
    return `holds ${quoted(pattern)} where a route is expected, such as /orders/* or shop:/orders/*`;
  }
  if (pattern.length > limits.routeBytes + limits.serviceNameBytes) {
    return `has a pattern of ${pattern.length} characters; at most ${limits.routeBytes + limits.serviceNameBytes} are allowed`;
  }
  if (owners.length > limits.ownersPerRule) {
    return `names ${owners.length} owners; at most ${limits.ownersPerRule} are allowed`;
  }
  const long = owners.find((owner) => owner.length > limits.ownerChars);
  if (long !== undefined) {
    return `names an owner of ${long.length} characters; at most ${limits.ownerChars} are allowed`;
  }
  return { method, service, route: route.endsWith('/') ? `${route}*` : route, owners };
}

/** The rules of a file, and the endpoints that were asked for. */
export class Owners {
  /** The last rule first. */
  readonly #rules: CompiledRule[];
  /** By endpoint; null: no rule matches. Emptied when full. */
  readonly #known = new Map<string, readonly string[] | null>();

  constructor(rules: readonly OwnerRule[]) {
    this.#rules = rules.map(compile).reverse();
  }

  /** @returns undefined when no rule matches, an empty list when the last matching rule names no owner */
  of({ service, method, route }: OwnedEndpoint): readonly string[] | undefined {
    if (this.#rules.length === 0) return undefined;
    const key = `${service}\0${method}\0${route}`;
    let owners = this.#known.get(key);
    if (owners === undefined) {
      owners = this.#find(service, method, route);
      if (this.#known.size >= limits.endpointsPerStore) this.#known.clear();
      this.#known.set(key, owners);
    }
    return owners ?? undefined;
  }

  #find(service: string, method: string, route: string): readonly string[] | null {
    const shape = endpointShape(route);
    for (const rule of this.#rules) {
      if (rule.method !== '' && rule.method !== method) continue;
      if (!rule.matchesService(service)) continue;
      const isMatch =
        rule.shape === undefined
          ? route.includes(rule.literal) && rule.matchesRoute(route)
          : rule.shape === shape;
      if (isMatch) return rule.owners;
    }
    return null;
  }
}

interface CompiledRule {
  method: string;
  matchesService: GlobMatcher;
  /** Of a route without wildcards: names of parameters are no part of it. */
  shape: string | undefined;
  /** The longest text without a wildcard: a route that lacks it does not match, which is cheap to see. */
  literal: string;
  matchesRoute: GlobMatcher;
  owners: readonly string[];
}

function compile({ method, service, route, owners }: OwnerRule): CompiledRule {
  const isGlob = /[*?]/.test(route);
  // Beside wildcards a parameter is one more: what a service calls it is no part of the rule.
  const glob = route.replace(/\{[^{}/]*\}|:[A-Za-z_]\w*(?=\/|$)/g, '*');
  return {
    method,
    matchesService: service === '' ? () => true : globMatcher(service),
    shape: isGlob ? undefined : endpointShape(canonicalRoute(route)),
    literal: longest(glob.split(/[*?]/)),
    matchesRoute: globMatcher(glob),
    owners,
  };
}

function longest(texts: readonly string[]): string {
  return texts.reduce((a, b) => (b.length > a.length ? b : a), '');
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));

function invalid(message: string, cause?: Error): AppError {
  return new AppError('invalid', message, { cause });
}
