/**
 * How well core/route/template.ts finds the routes of public APIs from their paths alone:
 * `npm run corpus`, with `-- --misses` for what it gets wrong in the half it may be tuned on. Each route is
 * called 40 times with other values, and nothing but the path is told.
 */

import { Random } from '../../../core/random.ts';
import { routeShape } from '../../../core/route/route.ts';
import { templatePath } from '../../../core/route/template.ts';
import { apis, isHeldOut } from './apis.ts';
import { value } from './values.ts';

export interface Score {
  apis: number;
  routes: number;
  /** Templates that came out: what a report would show as endpoints. */
  templates: number;
  /** Of the routes, those that came out as one template, and none but them as that. */
  whole: number;
  /** Templates that hold calls of more than one route. */
  mixed: number;
  /** Share of calls, each route weighing the same, whose template has the shape of their route. */
  exact: number;
  /** Of the pairs of calls that got one template, those that are of one route: below 1, endpoints are mixed. */
  precision: number;
  /** Of the pairs of calls of one route, those that got one template: below 1, endpoints are split. */
  recall: number;
  /** By route, a template it should not have, and the path. */
  misses: Map<string, { calls: number; template: string; path: string }>;
}

export function evaluate(heldOut: boolean): Score {
  const score: Score = {
    apis: 0,
    routes: 0,
    templates: 0,
    whole: 0,
    mixed: 0,
    exact: 0,
    precision: 0,
    recall: 0,
    misses: new Map(),
  };
  let together = 0;
  let sameRoute = 0;
  let sameTemplate = 0;
  for (const [api, list] of Object.entries(apis)) {
    if (isHeldOut(api) !== heldOut) continue;
    score.apis += 1;
    const routes = list.trim().split(/\s+/);
    score.routes += routes.length;
    sameRoute += routes.length * pairs(callsEach);
    const byTemplate = templatesOf(api, routes, score);
    score.templates += byTemplate.size;
    for (const counts of byTemplate.values()) {
      const calls = [...counts.values()];
      sameTemplate += pairs(calls.reduce((sum, count) => sum + count, 0));
      for (const count of calls) together += pairs(count);
      if (calls.length > 1) score.mixed += 1;
      else if (calls[0] === callsEach) score.whole += 1;
    }
  }
  score.exact /= score.routes * callsEach;
  score.precision = together / sameTemplate;
  score.recall = together / sameRoute;
  return score;
}

const callsEach = 40;

/** Calls by template and route. Every API has chance of its own: another one changes nothing. */
function templatesOf(
  api: string,
  routes: readonly string[],
  score: Score,
): Map<string, Map<string, number>> {
  const random = seeded(api);
  const byTemplate = new Map<string, Map<string, number>>();
  for (const route of routes) {
    for (let call = 0; call < callsEach; call += 1) {
      const path = route.replace(/\{(\w+)\}/g, (_, kind: string) => value(kind, random));
      const template = templatePath(path);
      const counts = byTemplate.get(template) ?? new Map<string, number>();
      byTemplate.set(template, counts.set(route, (counts.get(route) ?? 0) + 1));
      if (routeShape(template) === routeShape(route)) score.exact += 1;
      else {
        const calls = (score.misses.get(`${api} ${route}`)?.calls ?? 0) + 1;
        score.misses.set(`${api} ${route}`, { calls, template, path });
      }
    }
  }
  return byTemplate;
}

function pairs(count: number): number {
  return (count * (count - 1)) / 2;
}

/** Numbers in [0, 1), seeded by the API's name. */
function seeded(name: string): () => number {
  const random = new Random(
    [...name].reduce((sum, char) => Math.imul(sum, 31) + char.charCodeAt(0), 20_260_801),
  );
  return () => random.next();
}

function report(heldOut: boolean): string {
  const score = evaluate(heldOut);
  const share = (part: number): string => `${(part * 100).toFixed(2)} %`;
  return `${heldOut ? 'Held out' : 'Tuned on'}: ${score.apis} APIs, ${score.routes * callsEach} calls
  endpoints there are      ${score.routes}
  endpoints that came out  ${score.templates}, of which ${score.whole} are one endpoint, whole, and ${score.mixed} mix several
  precision                ${share(score.precision)}  of two calls with one template, how often they are of one endpoint
  recall                   ${share(score.recall)}  of two calls of one endpoint, how often they have one template
  exact                    ${share(score.exact)}  of calls, how many have the very shape of their route
`;
}

if (import.meta.main) {
  if (process.argv.includes('--misses')) {
    for (const [route, { calls, template, path }] of evaluate(false).misses)
      console.log(`${String(calls).padStart(3)} ${route}\n      ${path}\n      ${template}`);
  } else {
    console.log(`${report(false)}\n${report(true)}`);
  }
}
