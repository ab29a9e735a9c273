/**
 * How well core/route-template.ts finds the routes of public APIs from their paths alone:
 * `node test/corpus/evaluate.ts [--misses]`. Each route is called 40 times with other values.
 */
import { routeShape } from '../../core/route.ts';
import { templatePath } from '../../core/route-template.ts';
import { apis } from './apis.ts';
import { value } from './values.ts';

export interface Score {
  apis: number;
  routes: number;
  /** Templates that came out. */
  templates: number;
  /** Share of calls, each route weighing the same, whose template has the shape of their route. */
  exact: number;
  /** Pairs of calls with one template that are of one route. */
  precision: number;
  /** Pairs of calls of one route that have one template. */
  recall: number;
  /** `route -> template` of calls that are not exact, with one example each. */
  misses: Map<string, string>;
}

export function evaluate(heldOut: boolean): Score {
  const random = seeded(20_260_801);
  const score: Score = {
    apis: 0,
    routes: 0,
    templates: 0,
    exact: 0,
    precision: 0,
    recall: 0,
    misses: new Map(),
  };
  let together = 0;
  let sameRoute = 0;
  let sameTemplate = 0;
  for (const [at, [, list]] of Object.entries(apis).entries()) {
    if ((at % 2 === 1) !== heldOut) continue;
    score.apis += 1;
    const byTemplate = new Map<string, Map<string, number>>();
    for (const route of list.trim().split(/\s+/)) {
      score.routes += 1;
      sameRoute += pairs(callsEach);
      for (let call = 0; call < callsEach; call += 1) {
        const path = route.replace(/\{(\w+)\}/g, (_, kind: string) => value(kind, random));
        const template = templatePath(path);
        const routes = byTemplate.get(template) ?? new Map<string, number>();
        byTemplate.set(template, routes.set(route, (routes.get(route) ?? 0) + 1));
        if (routeShape(template) === routeShape(route)) score.exact += 1;
        else score.misses.set(`${route} -> ${template}`, path);
      }
    }
    score.templates += byTemplate.size;
    for (const routes of byTemplate.values()) {
      const counts = [...routes.values()];
      sameTemplate += pairs(counts.reduce((sum, count) => sum + count, 0));
      for (const count of counts) together += pairs(count);
    }
  }
  score.exact /= score.routes * callsEach;
  score.precision = together / sameTemplate;
  score.recall = together / sameRoute;
  return score;
}

const callsEach = 40;

function pairs(count: number): number {
  return (count * (count - 1)) / 2;
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

if (import.meta.main) {
  for (const heldOut of [false, true]) {
    const score = evaluate(heldOut);
    const share = (part: number): string => `${(part * 100).toFixed(1)} %`;
    console.log(
      `${heldOut ? 'held out' : 'tuned on'}: ${score.apis} APIs, ${score.routes} routes, ${score.templates} templates; ` +
        `exact ${share(score.exact)}, precision ${share(score.precision)}, recall ${share(score.recall)}`,
    );
    if (!heldOut && process.argv.includes('--misses'))
      for (const [miss, path] of score.misses) console.log(`  ${miss}   ${path}`);
  }
}
